#include "proxy/requests/answer_status.h"

#include <gtest/gtest.h>

#include <string>

namespace proxymux::proxy {
namespace {

using pgsql::Outcome;
using protocol::Dialect;
using protocol::Status;

constexpr std::string_view kTable = "pgsql:/t.cf";

// "STATUS", then "[kind] text" for each line of the log.
std::string Shown(const pgsql::Answer& answer, bool utf8_active = true,
                  Dialect dialect = Dialect::kInstanceFlags) {
  const AnswerStatus result = StatusOfAnswer(answer, kTable, utf8_active, dialect);
  std::string shown(protocol::StatusName(result.status));
  for (const AnswerRemark& remark : result.remarks) {
    shown += " [" + remark.kind + "] " + remark.text;
  }
  return shown;
}

TEST(AnswerStatus, AnOrdinaryAnswerIsNotTalkedAbout) {
  EXPECT_EQ(Shown({Outcome::kFound, "box", {}}), "OK");
  EXPECT_EQ(Shown({Outcome::kNotFound, {}, {}}), "NOKEY");
}

TEST(AnswerStatus, WhatWasOddIsToldAndTheAnswerStands) {
  EXPECT_EQ(Shown({Outcome::kFound, "box", "two rows"}),
            "OK [odd result pgsql:/t.cf] table pgsql:/t.cf: two rows");
  EXPECT_EQ(Shown({Outcome::kNotFound, {}, "a NULL"}),
            "NOKEY [no answer pgsql:/t.cf] table pgsql:/t.cf: no result: a NULL");
}

TEST(AnswerStatus, FailuresAreRetryAndRefusedQueriesConfig) {
  EXPECT_EQ(
      Shown({Outcome::kRetry, {}, "timed out"}),
      "RETRY [lookup failed pgsql:/t.cf] table pgsql:/t.cf: lookup failed for now: timed out");
  EXPECT_EQ(Shown({Outcome::kConfig, {}, "no such column"}),
            "CONFIG [query refused pgsql:/t.cf] table pgsql:/t.cf: the database refuses the query: "
            "no such column");
}

TEST(AnswerStatus, AResultThatIsNotUtf8IsConfigWhereItsClientWouldNotSaySoItself) {
  const pgsql::Answer bytes{Outcome::kFound, "\xff", {}};
  EXPECT_EQ(Shown(bytes),
            "CONFIG [invalid result pgsql:/t.cf] table pgsql:/t.cf: the result is not valid UTF-8");
  EXPECT_EQ(Shown(bytes, true, Dialect::kLegacy), "OK");
  EXPECT_EQ(Shown(bytes, false), "OK");
  EXPECT_EQ(Shown({Outcome::kFound, "\xff", "two rows"}),
            "CONFIG [odd result pgsql:/t.cf] table pgsql:/t.cf: two rows "
            "[invalid result pgsql:/t.cf] table pgsql:/t.cf: the result is not valid UTF-8");
}

}  // namespace
}  // namespace proxymux::proxy
