// Lookups through a real PgBouncer: what is left of the promises when it or what stands behind it
// goes away.
#include <gtest/gtest.h>

#include "tests/integration/behind_pgbouncer.h"

namespace proxymux::integration {
namespace {

using harness::Eventually;
using harness::LoadClients;
using protocol::Status;

TEST_F(BehindPgBouncer, NoLookupIsLostWhenItIsRestarted) {
  for (const char* pool_mode : {"session", "transaction"}) {
    SCOPED_TRACE(pool_mode);
    StartBouncer(pool_mode);
    StartService("", /*second_host=*/true);
    ExpectNoLoss([&] { bouncer_->Stop(); }, [&] { bouncer_->Start(); });
  }
}

TEST_F(BehindPgBouncer, NoLookupIsLostWhenItIsKilled) {
  for (const char* pool_mode : {"session", "transaction"}) {
    SCOPED_TRACE(pool_mode);
    StartBouncer(pool_mode);
    StartService("", /*second_host=*/true);
    ExpectNoLoss([&] { bouncer_->Kill(); }, [&] { bouncer_->Start(); });
  }
}

TEST_F(BehindPgBouncer, WhatItRefusesForTooManyClientsCostsNoLookup) {
  StartBouncer("transaction", 2, {"max_client_conn = 1"});
  StartService();
  LoadClients load(Load(100));
  ASSERT_TRUE(load.WaitForAnswers(10000)) << postfix_->Log();
  EXPECT_TRUE(postfix_->WaitForLog("no more connections allowed")) << postfix_->Log();
  ASSERT_TRUE(load.WaitForAnswers(10000)) << postfix_->Log();
  ExpectAllAnswered(&load);
}

TEST_F(BehindPgBouncer, IdleConnectionsThatItClosesAreMadeAgain) {
  StartBouncer("transaction", 2, {"server_idle_timeout = 1", "client_idle_timeout = 3"});
  StartService();
  EXPECT_TRUE(Look(1).IsValue(harness::AddressOf(1))) << postfix_->Log();
  ASSERT_TRUE(Eventually([&] { return Sessions("%") == 0; }));
  EXPECT_TRUE(Look(2).IsValue(harness::AddressOf(2))) << postfix_->Log();
  ASSERT_TRUE(postfix_->WaitForLog("client_idle_timeout")) << postfix_->Log();
  EXPECT_TRUE(Look(3).IsValue(harness::AddressOf(3))) << postfix_->Log();
  EXPECT_TRUE(postfix_->Complaints().empty()) << postfix_->Log();
}

// The settings are those that docs/operations.md recommends.
TEST_F(BehindPgBouncer, NoLookupIsLostWhileTheDatabaseBehindItIsStopped) {
  for (const char* pool_mode : {"session", "transaction"}) {
    SCOPED_TRACE(pool_mode);
    StartBouncer(pool_mode, 20, {"server_login_retry = 1", "query_wait_timeout = 2"});
    StartService("", /*second_host=*/true);
    ExpectNoLoss([&] { world_.first().Stop(); }, [&] { world_.first().Start(); });
  }
}

TEST_F(BehindPgBouncer, WithoutTheDatabaseTheAnswerIsRetryAndThenTheServiceRecovers) {
  StartBouncer("transaction", 20, {"server_login_retry = 1", "query_wait_timeout = 2"});
  StartService(kNoWait);
  EXPECT_TRUE(Look(1).IsValue(harness::AddressOf(1))) << postfix_->Log();
  world_.first().StopImmediate();
  for (int i = 0; i < 3; ++i) {
    const auto answer = Look(2);
    EXPECT_TRUE(answer.Is(Status::kRetry)) << Describe(answer) << postfix_->Log();
  }
  world_.Mend();
  EXPECT_TRUE(Eventually([&] { return Look(2).IsValue(harness::AddressOf(2)); }))
      << postfix_->Log();
}

}  // namespace
}  // namespace proxymux::integration
