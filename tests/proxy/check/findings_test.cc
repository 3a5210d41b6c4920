// How findings are told, and what of them is one.
#include "proxy/check/findings.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace proxymux::proxy {
namespace {

using config::Severity;

TEST(Findings, NothingIsNothing) {
  const Findings findings;
  EXPECT_EQ(findings.Text(), "");
  EXPECT_TRUE(findings.Json().empty());
  EXPECT_EQ(findings.errors() + findings.warnings(), 0U);
}

TEST(Findings, OneLineForEachByFileAndLine) {
  Findings findings;
  findings.Warning("b.cf", 7, "late");
  findings.Error("a.cf", 2, "wrong", "write it right");
  findings.Error("b.cf", 3, "early");
  findings.Warning("", 0, "of no file");
  EXPECT_EQ(findings.Text(),
            "b.cf:3: error: early\n"
            "b.cf:7: warning: late\n"
            "a.cf:2: error: wrong; write it right\n"
            "warning: of no file\n");
  EXPECT_EQ(findings.errors(), 2U);
  EXPECT_EQ(findings.warnings(), 2U);
}

TEST(Findings, OneMistakeInSeveralPlacesIsOneFinding) {
  Findings findings;
  for (int line = 1; line <= 8; ++line) findings.Error("t.cf", line, "wrong");
  findings.Error("t.cf", 1, "wrong");
  findings.Warning("t.cf", 1, "wrong");
  EXPECT_EQ(findings.Text(),
            "t.cf:1: error: wrong (also t.cf:2, t.cf:3, t.cf:4, t.cf:5, t.cf:6 and 2 more)\n"
            "t.cf:1: warning: wrong\n");
  EXPECT_EQ(findings.errors(), 1U);
}

TEST(Findings, DoNothingToATerminal) {
  Findings findings;
  findings.Error("a\x1b[2J.cf", 1, "column \"\x9b\n\" is not there", "mend \a it");
  EXPECT_EQ(findings.Text(),
            "a\\x1b[2J.cf:1: error: column \"\\x9b\\n\" is not there; mend \\x07 it\n");
}

TEST(Findings, AsJson) {
  Findings findings;
  findings.Error("t.cf", 4, "wrong", "mend it");
  findings.Error("u.cf", 0, "wrong", "mend it");
  const auto json = findings.Json();
  ASSERT_EQ(json.size(), 1U);
  EXPECT_EQ(json[0]["severity"], "error");
  EXPECT_EQ(json[0]["text"], "wrong");
  EXPECT_EQ(json[0]["hint"], "mend it");
  EXPECT_EQ(json[0]["places"][0]["file"], "t.cf");
  EXPECT_EQ(json[0]["places"][0]["line"], 4);
  EXPECT_EQ(json[0]["places"][1]["line"], 0);
}

}  // namespace
}  // namespace proxymux::proxy
