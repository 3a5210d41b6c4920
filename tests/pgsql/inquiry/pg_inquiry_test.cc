// Questions to a real server, and what becomes of them when it refuses, or does not answer.
#include "pgsql/inquiry/pg_inquiry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "pgsql/inquiry/server_facts.h"
#include "tests/harness/postgres_cluster.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::pgsql {
namespace {

using harness::PostgresCluster;
using testing::HasSubstr;
using Fault = PgInquiry::Fault;

class Inquiry : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory_ = std::make_unique<harness::TempDirectory>();
    server_ = std::make_unique<PostgresCluster>(*directory_ / "pg");
    server_->Start();
  }
  static void TearDownTestSuite() {
    server_.reset();
    directory_.reset();
  }

  static PgInquiry Connect(std::chrono::milliseconds patience = std::chrono::seconds(20),
                           PgInquiry::Clock::time_point end = PgInquiry::Clock::time_point::max()) {
    const std::string conninfo =
        "host=127.0.0.1 user=postgres dbname=postgres port=" + std::to_string(server_->port()) +
        " client_encoding=UTF8";
    PgConnectionHandle connection(PQconnectdb(conninfo.c_str()));
    EXPECT_EQ(PQstatus(connection.get()), CONNECTION_OK) << PQerrorMessage(connection.get());
    return PgInquiry(std::move(connection), patience, end);
  }
  static Fault FaultOf(const PgInquiry::Answer& answer) {
    const auto* fault = std::get_if<Fault>(&answer);
    EXPECT_NE(fault, nullptr);
    return fault == nullptr ? Fault() : *fault;
  }

  static inline std::unique_ptr<harness::TempDirectory> directory_;
  static inline std::unique_ptr<PostgresCluster> server_;
};

TEST_F(Inquiry, AnswersAreRows) {
  PgInquiry server = Connect();
  const char* const values[] = {"x"};
  const auto answer = server.Ask("SELECT $1::text, NULL UNION ALL SELECT 'y', ''", values);
  const auto* rows = std::get_if<0>(&answer);
  ASSERT_NE(rows, nullptr);
  EXPECT_EQ(*rows, (std::vector<PgInquiry::Row>{{"x", std::nullopt}, {"y", ""}}));
  EXPECT_TRUE(std::get<0>(server.Ask("SET jit = off")).empty());
  EXPECT_EQ(server.TlsVersion(), "");
}

TEST_F(Inquiry, CommandsRunOneBehindTheOther) {
  PgInquiry server = Connect();
  EXPECT_FALSE(server.Run("BEGIN; SET LOCAL jit = off; SELECT 1").has_value());
  const auto fault = server.Run("SELECT nothing; SELECT 1; ROLLBACK");
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->sqlstate, "42703");
  EXPECT_EQ(FaultOf(server.Ask("SELECT 1")).sqlstate, "25P02") << "the ROLLBACK was not run";
  EXPECT_FALSE(server.Run("ROLLBACK").has_value());
  EXPECT_EQ(server.Address(), "127.0.0.1");
  EXPECT_EQ(server.Place(), "127.0.0.1:" + std::to_string(server_->port()));
}

// Longer than the buffers of a socket.
TEST_F(Inquiry, ALongStatementIsSentToItsEnd) {
  PgInquiry server = Connect();
  const std::string text(8 << 20, 'x');
  const char* const values[] = {text.c_str()};
  const auto answer = server.Ask("SELECT length($1), $1", values);
  const auto* rows = std::get_if<0>(&answer);
  ASSERT_NE(rows, nullptr);
  EXPECT_EQ(*rows, (std::vector<PgInquiry::Row>{{std::to_string(text.size()), text}}));
}

TEST_F(Inquiry, FaultsSayWhere) {
  PgInquiry server = Connect();
  const std::string sql = "SELECT 'ä€' FROM pg_class WHERE relnam = 'x'";
  const auto fault = server.Prepare("", sql);
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->sqlstate, "42703");
  EXPECT_EQ(fault->message, "column \"relnam\" does not exist");
  EXPECT_THAT(fault->hint, HasSubstr("relname"));
  EXPECT_EQ(fault->position, sql.find("relnam"));
  EXPECT_FALSE(server.lost());
  EXPECT_FALSE(server.Prepare("", "SELECT 1").has_value());
}

TEST_F(Inquiry, ServersTellAboutThemselves) {
  PgInquiry server = Connect();
  const auto answer = server.Ask(ServerFactsSql());
  const auto* rows = std::get_if<0>(&answer);
  ASSERT_NE(rows, nullptr) << FaultOf(answer).message;
  ASSERT_EQ(rows->size(), 1U);
  const auto facts = ParseServerFacts(rows->front());
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->role, "postgres");
  EXPECT_EQ(facts->MostSessions(), 97);
  EXPECT_GE(facts->used, 1);
  EXPECT_EQ(facts->backend, server.FirstBackend());
}

TEST_F(Inquiry, AServerThatDoesNotAnswerIsNotAskedAgain) {
  PgInquiry server = Connect(std::chrono::milliseconds(50));
  EXPECT_THAT(FaultOf(server.Ask("SELECT pg_sleep(60)")).message, HasSubstr("within 50 ms"));
  EXPECT_TRUE(server.lost());
  EXPECT_THAT(FaultOf(server.Ask("SELECT 1")).message, HasSubstr("within 50 ms"));
  EXPECT_TRUE(server.Prepare("", "SELECT 1").has_value());
}

TEST_F(Inquiry, AllAnswersTogetherHaveATime) {
  const auto end = PgInquiry::Clock::now();
  PgInquiry server = Connect(std::chrono::seconds(20), end);
  EXPECT_THAT(FaultOf(server.Ask("SELECT pg_sleep(60)")).message,
              HasSubstr("time for its answers"));
  EXPECT_TRUE(server.lost());
}

TEST_F(Inquiry, ASessionThatIsEndedIsLost) {
  PgInquiry server = Connect();
  const Fault fault = FaultOf(server.Ask("SELECT pg_terminate_backend(pg_backend_pid())"));
  EXPECT_TRUE(fault.sqlstate.empty() || fault.sqlstate == "57P01") << fault.message;
  EXPECT_TRUE(std::holds_alternative<Fault>(server.Ask("SELECT 1")));
  EXPECT_TRUE(server.lost());
}

TEST_F(Inquiry, SeveralStatementsAreRefused) {
  PgInquiry server = Connect();
  EXPECT_EQ(FaultOf(server.Ask("SELECT 1; SELECT 2")).sqlstate, "42601");
  EXPECT_FALSE(server.lost());
}

}  // namespace
}  // namespace proxymux::pgsql
