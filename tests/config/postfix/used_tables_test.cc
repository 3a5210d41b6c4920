// Which tables a value of main.cf names, and who opens them.
#include "config/postfix/used_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxymux::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Way = TableUse::Way;

TEST(UsedTables, AreToldByTheirTypes) {
  EXPECT_THAT(UsedTables("hash:/a, proxy:pgsql:/b.cf pgsql:/c.cf"),
              ElementsAre(TableUse{"hash:/a", Way::kDirect}, TableUse{"pgsql:/b.cf", Way::kProxied},
                          TableUse{"pgsql:/c.cf", Way::kDirect}));
  EXPECT_THAT(UsedTables("permit_mynetworks, reject, /etc/networks, 192.0.2.1:25, [::1]"),
              IsEmpty());
  EXPECT_THAT(UsedTables("static:x inline:{a=pgsql:/b} randmap:{a,b}"), IsEmpty());
  EXPECT_THAT(UsedTables(""), IsEmpty());
}

TEST(UsedTables, InRestrictions) {
  EXPECT_THAT(
      UsedTables("check_client_access pgsql:/a.cf, { check_sender_access proxy:pgsql:/b.cf, "
                 "default_action=defer }, reject"),
      ElementsAre(TableUse{"pgsql:/a.cf", Way::kDirect}, TableUse{"pgsql:/b.cf", Way::kProxied}));
  EXPECT_THAT(UsedTables("!pgsql:/a.cf"), ElementsAre(TableUse{"pgsql:/a.cf", Way::kDirect}));
}

TEST(UsedTables, WithinOthers) {
  EXPECT_THAT(
      UsedTables("unionmap:{proxy:pgsql:/a.cf, pipemap:{pgsql:/b.cf hash:/c}}"),
      ElementsAre(TableUse{"pgsql:/a.cf", Way::kProxied}, TableUse{"pgsql:/b.cf", Way::kDirect},
                  TableUse{"hash:/c", Way::kDirect}));
  EXPECT_THAT(UsedTables("proxy:unionmap:{pgsql:/a.cf}"),
              ElementsAre(TableUse{"unionmap:{pgsql:/a.cf}", Way::kProxied},
                          TableUse{"pgsql:/a.cf", Way::kWithinProxy}));
  EXPECT_THAT(UsedTables("debug:proxy:pgsql:/a.cf"),
              ElementsAre(TableUse{"pgsql:/a.cf", Way::kProxied}));
}

TEST(UsedTables, BracesThatDoNotMatchHideTheirs) {
  EXPECT_THAT(UsedTables("unionmap:{pgsql:/a.cf"), IsEmpty());
  EXPECT_THAT(UsedTables("{ pgsql:/a.cf"), IsEmpty());
}

TEST(UsedTables, DepthIsBounded) {
  std::string value = "pgsql:/a.cf";
  for (int i = 0; i < 1000; ++i) value = "unionmap:{" + value + "}";
  EXPECT_THAT(UsedTables(value), IsEmpty());
}

}  // namespace
}  // namespace proxymux::config
