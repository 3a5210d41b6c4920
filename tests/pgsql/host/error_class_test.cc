#include "pgsql/host/error_class.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace proxymux::pgsql {
namespace {

Fault InText(std::string_view code) {
  return ClassifyError({code, false, ErrorStage::kText}).fault;
}
Fault Fatal(std::string_view code) { return ClassifyError({code, true, ErrorStage::kText}).fault; }
Fault InConnect(std::string_view code) {
  return ClassifyError({code, true, ErrorStage::kConnect}).fault;
}
Fault InPrepare(std::string_view code) {
  return ClassifyError({code, false, ErrorStage::kPrepare}).fault;
}
Fault InPrepared(std::string_view code) {
  return ClassifyError({code, false, ErrorStage::kPrepared}).fault;
}

TEST(ErrorClass, AnOddKeyIsOnlyThatLookupsFault) {
  for (const char* code :
       {"22P02", "22003", "22021", "23505", "21000", "P0001", "0A000", "54001", "2201B"})
    EXPECT_EQ(InText(code), Fault::kKey) << code;
}

TEST(ErrorClass, ABrokenOrForbiddenQueryIsAConfigurationError) {
  for (const char* code : {"42601", "42P01", "42703", "42883", "42501", "42P02", "3F000"})
    EXPECT_EQ(InText(code), Fault::kStatement) << code;
}

TEST(ErrorClass, AServerThatEndsTheSessionIsOutOfService) {
  for (const char* code : {"57P01", "57P02", "57P03", "57P04", "08006", "08P01"})
    EXPECT_EQ(Fatal(code), Fault::kHost) << code;
}

TEST(ErrorClass, ASessionMayEndWithoutBlameForTheHost) {
  for (const char* code : {"57P05", "25P03", "25P04", "22P02", "XX000", "ZZ999", "53200"})
    EXPECT_EQ(Fatal(code), Fault::kConnection) << code;
  EXPECT_EQ(InText("25P02"), Fault::kConnection);
  EXPECT_EQ(InText(""), Fault::kConnection);
}

TEST(ErrorClass, AFunctionThatRaisesAHostsCodeTakesNoHostOut) {
  for (const char* code : {"57P01", "57P03", "08006", "28000", "53300"})
    EXPECT_EQ(InText(code), Fault::kElsewhere) << code;
  const auto reason = [](std::string_view code) {
    return std::string(ClassifyError({code, false, ErrorStage::kText}).reason);
  };
  EXPECT_NE(reason("57P01").find("shutdown"), std::string::npos);
  EXPECT_NE(reason("53300").find("lack of connections"), std::string::npos);
}

TEST(ErrorClass, EveryFailureToConnectIsTheHosts) {
  for (const char* code :
       {"", "08001", "28P01", "28000", "3D000", "42501", "57P03", "57P01", "22023", "ZZ999"})
    EXPECT_EQ(InConnect(code), Fault::kHost) << code;
  EXPECT_EQ(InConnect("53300"), Fault::kHostFull);
}

// What is soon over is tried again at once; what somebody has to mend is not.
TEST(ErrorClass, AServerInTroubleIsConnectedToAgainSoonerThanOneThatRefuses) {
  const auto passes = [](std::string_view code) {
    return ClassifyError({code, true, ErrorStage::kConnect}).passes;
  };
  for (const char* code :
       {"", "08001", "08006", "08P01", "53000", "53100", "53300", "57000", "57014", "57P01",
        "57P02", "57P03", "57P04", "57P05", "58030", "58P01", "XX000", "XX001"})
    EXPECT_TRUE(passes(code)) << code;
  for (const char* code :
       {"28000", "28P01", "3D000", "3F000", "42501", "42704", "22023", "0A000", "25006", "25P02",
        "26000", "34000", "40001", "55000", "72000", "F0000", "HV000", "P0001", "ZZ999"})
    EXPECT_FALSE(passes(code)) << code;
}

TEST(ErrorClass, APoolersWordsTellARefusalFromAServerThatIsAway) {
  const auto passes = [](std::string_view code, std::string_view text) {
    const ErrorVerdict verdict = ClassifyError({code, true, ErrorStage::kConnect, text});
    EXPECT_EQ(verdict.fault, Fault::kHost) << text;
    return verdict.passes;
  };
  for (const char* text :
       {"FATAL:  password authentication failed", "FATAL:  SASL authentication failed",
        "FATAL:  no such database: mail", "FATAL:  no such user",
        "FATAL:  unix socket login rejected", "FATAL:  TLS client certificate required"}) {
    EXPECT_FALSE(passes("08P01", text)) << text;
    EXPECT_TRUE(passes("08006", text)) << text;
  }
  for (const char* text :
       {"FATAL:  pgbouncer cannot connect to server", "FATAL:  query_wait_timeout",
        "FATAL:  client_login_timeout (server down)",
        "server login has been failing, try again later (server_login_retry)"}) {
    EXPECT_TRUE(passes("08P01", text)) << text;
  }
}

Fault WithParameters(std::string_view code) {
  return ClassifyError({code, false, ErrorStage::kParameterized}).fault;
}

TEST(ErrorClass, PreparingThatFailsGoesOnWithText) {
  EXPECT_EQ(InPrepare("42P18"), Fault::kUntyped);
  for (const char* code : {"42601", "42883", "42803", "22P02", "0A000"})
    EXPECT_EQ(InPrepare(code), Fault::kNotPreparable) << code;
  EXPECT_EQ(InPrepare("42P05"), Fault::kVanished);
  EXPECT_EQ(InPrepare("57014"), Fault::kCancelled);
  EXPECT_EQ(InPrepare("40001"), Fault::kConflict);
}

TEST(ErrorClass, AStalePreparedStatementIsPreparedAgain) {
  for (const char* code : {"26000", "34000", "42P05"})
    EXPECT_EQ(InPrepared(code), Fault::kVanished) << code;
  // 08P01: the values do not fit the statement that somebody else has prepared under the name.
  for (const char* code : {"0A000", "42883", "42P01", "42501", "08P01"})
    EXPECT_EQ(InPrepared(code), Fault::kStale) << code;
  // PgBouncer's own errors have no other code; they end the session.
  EXPECT_EQ(ClassifyError({"08P01", true, ErrorStage::kPrepared}).fault, Fault::kHost);
  EXPECT_EQ(InPrepared("22P02"), Fault::kKey);
  EXPECT_EQ(InPrepared("P0001"), Fault::kKey);
}

TEST(ErrorClass, WithoutAPreparedStatementThereIsNoneToPrepareAgain) {
  EXPECT_EQ(InText("26000"), Fault::kKey);
  EXPECT_EQ(InText("34000"), Fault::kKey);
  EXPECT_EQ(WithParameters("26000"), Fault::kKey);
}

TEST(ErrorClass, OnlyParametersCanBeWithoutAType) {
  EXPECT_EQ(WithParameters("42P18"), Fault::kUntyped);
  EXPECT_EQ(InText("42P18"), Fault::kStatement);
  EXPECT_EQ(WithParameters("42804"), Fault::kStatement);
}

TEST(ErrorClass, AServerThatLacksWhatAQuestionNeedsRefusesItEachTime) {
  for (const char* code : {"42501", "42883", "0A000"}) EXPECT_TRUE(RefusesQuestion(code)) << code;
  for (const char* code : {"", "3F000", "22P02", "40001", "53200", "57014", "ZZ999"})
    EXPECT_FALSE(RefusesQuestion(code)) << code;
}

TEST(ErrorClass, WorkThatLostAgainstOtherWorkRunsAgain) {
  EXPECT_EQ(InText("40001"), Fault::kConflict);
  EXPECT_EQ(InText("40P01"), Fault::kConflict);
  EXPECT_EQ(InText("57014"), Fault::kCancelled);
}

TEST(ErrorClass, WhatThisHostCannotDoAnotherMay) {
  for (const char* code : {"25006", "53100", "53200", "55P03", "55000", "58030", "XX001", "HV00N"})
    EXPECT_EQ(InText(code), Fault::kElsewhere) << code;
}

TEST(ErrorClass, AnUnknownCodeIsTheKeys) {
  EXPECT_EQ(InText("ZZ999"), Fault::kKey);
  EXPECT_EQ(InText("x"), Fault::kKey);
  EXPECT_EQ(InText("22ZZZ"), Fault::kKey);
}

TEST(ErrorClass, EveryRuleHasAReasonAndCanBeReached) {
  std::size_t count = 0;
  const ErrorRule* rules = ErrorRules(&count);
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_TRUE(rules[i].code.size() == 2 || rules[i].code.size() == 5) << rules[i].code;
    EXPECT_FALSE(rules[i].reason.empty());
    EXPECT_TRUE(seen.insert(rules[i].code).second) << rules[i].code;
    EXPECT_FALSE(rules[i].code.size() == 5 && seen.count(rules[i].code.substr(0, 2)))
        << rules[i].code << " stands behind its class";
  }
}

}  // namespace
}  // namespace proxymux::pgsql
