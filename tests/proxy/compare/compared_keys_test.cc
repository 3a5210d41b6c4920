// Which keys are asked.
#include "proxy/compare/compared_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxymux::proxy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Keys = std::vector<std::string>;

Keys OfLines(std::string_view text, std::size_t limit) { return KeysOfLines(text, limit).keys; }
Keys OfLog(std::string_view text, std::size_t limit) { return KeysOfLog(text, limit).keys; }

TEST(ComparedKeys, OneALine) {
  EXPECT_THAT(OfLines("a@b.example\nb.example\r\n\na@b.example\n@b.example", 9),
              ElementsAre("a@b.example", "b.example", "@b.example"));
  EXPECT_THAT(OfLines("a\nb\nc\n", 2), ElementsAre("a", "b"));
  EXPECT_THAT(OfLines("", 9), IsEmpty());
  EXPECT_THAT(OfLines("a\tb\n", 9), IsEmpty()) << "it could not be told from key and value";
}

TEST(ComparedKeys, WhatIsLeftOutIsCounted) {
  const ComparedKeys keys = KeysOfLines("a\nx\ty\na\nb\n\nc\nd\n", 2);
  EXPECT_THAT(keys.keys, ElementsAre("a", "b"));
  EXPECT_EQ(keys.left_out, 1U);
  EXPECT_EQ(keys.beyond_limit, 2U);
}

TEST(ComparedKeys, AddressesOfALogTheLatestFirst) {
  EXPECT_THAT(
      OfLog(
          "Nov 30 10:00:00 mx postfix/qmgr[1]: 4B2: from=<old@a.example>, size=1\n"
          "Nov 30 10:00:01 mx postfix/smtpd[2]: NOQUEUE: reject: RCPT from x[::1]: 550 5.1.1: "
          "from=<s@b.example> to=<r@c.example> proto=ESMTP\n"
          "Nov 30 10:00:02 mx postfix/virtual[3]: 4B3: to=<r@c.example>, "
          "orig_to=<alias@d.example>, relay=virtual\n"
          "Nov 30 10:00:03 mx postfix/qmgr[1]: 4B4: from=<>, size=9\n",
          99),
      ElementsAre("r@c.example", "c.example", "@c.example", "alias@d.example", "d.example",
                  "@d.example", "s@b.example", "b.example", "@b.example", "old@a.example",
                  "a.example", "@a.example"));
}

TEST(ComparedKeys, OddLinesOfALog) {
  EXPECT_THAT(OfLog("x from=<> to=<user>", 9), ElementsAre("user")) << "a bounce";
  EXPECT_THAT(OfLog("x to=<no end\nx to=<local>\nx to=<>,\nxto=<glued@e.example>\n", 9),
              ElementsAre("local"));
  EXPECT_THAT(OfLog("x nexthop=<a@b> to=<c>", 9), ElementsAre("c"));
  EXPECT_THAT(OfLog("", 9), IsEmpty());
  EXPECT_THAT(OfLog("\n\n", 9), IsEmpty());
  EXPECT_THAT(OfLog("x to=<a@b>\nx to=<c@d>", 4), ElementsAre("c@d", "d", "@d", "a@b"));
}

}  // namespace
}  // namespace proxymux::proxy
