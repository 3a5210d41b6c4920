// What the tests of PgConnection stand on: a real server that all tests of a program share, and a
// connection together with its observer and the loop that moves it.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "pgsql/libpq/pg_connection.h"
#include "pgsql/work/work.h"
#include "proxy/uv/uv_event_loop.h"
#include "tests/harness/postgres_cluster.h"
#include "tests/harness/process.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::pgsql {

using harness::PostgresCluster;
using std::chrono::milliseconds;
using std::chrono::seconds;

// The server that all tests share, but for those that break one.
class World {
 public:
  static World& Get() {
    static World world;
    return world;
  }
  harness::TempDirectory directory;
  std::unique_ptr<PostgresCluster> cluster;
  bool tls = false;

 private:
  World() {
    PostgresCluster::Options options;
    options.max_connections = 30;
    const std::string certificate = directory / "server.crt";
    const std::string key = directory / "server.key";
    tls = harness::RunCommand({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                               "2", "-subj", "/CN=localhost", "-out", certificate, "-keyout", key})
              .status == 0;
    if (tls) {
      harness::RunOrThrow({"chown", "postgres", certificate, key});
      harness::RunOrThrow({"chmod", "0600", key});
      options.settings = {"ssl = on", "ssl_cert_file = '" + certificate + "'",
                          "ssl_key_file = '" + key + "'"};
    }
    cluster = std::make_unique<PostgresCluster>(directory / "a", options);
    cluster->Start();
    cluster->Sql("postgres", "CREATE ROLE reader LOGIN PASSWORD 'secret'");
  }
};

inline PostgresCluster& Cluster() { return *World::Get().cluster; }

inline ConnectPlan PlanFor(const std::string& host, const std::string& port,
                           const std::string& user, const std::string& password = "",
                           const std::string& dbname = "postgres",
                           const std::string& encoding = "UTF8",
                           const std::string& sslmode = "disable") {
  ConnectPlan plan;
  plan.endpoints = {{host, "", port}};
  plan.label = host + ":" + port;
  plan.parameters = {{"user", user},
                     {"dbname", dbname},
                     {"client_encoding", encoding},
                     {"sslmode", sslmode},
                     {"gssencmode", "disable"}};
  if (!password.empty()) plan.parameters.emplace_back("password", password);
  return plan;
}

inline ConnectPlan Local(const std::string& encoding = "UTF8",
                         const std::string& sslmode = "disable") {
  return PlanFor("127.0.0.1", std::to_string(Cluster().port()), "postgres", "", "postgres",
                 encoding, sslmode);
}

// A connection with its observer and the loop that moves it.
class Session final : public UpstreamObserver {
 public:
  explicit Session(const ConnectPlan& plan, std::size_t max_result = 64 << 20,
                   Duration connect_timeout = seconds(10),
                   config::Pooler pooler = config::Pooler::kAuto, PgCommon* shared = nullptr)
      : connection(std::make_unique<PgConnection>(
            plan, PgConnectionLimits{connect_timeout, max_result, pooler},
            shared != nullptr ? shared : &common, &loop, this)) {
    connection->Connect();
  }
  ~Session() override { connection.reset(); }

  void OnReady(UpstreamConnection*) override { ready = true; }
  void OnConnectFailed(UpstreamConnection*, const ConnectionFault& why) override {
    failed = true;
    failure = why;
  }
  void OnResult(UpstreamConnection*, Work* answered, const StatementResult& result) override {
    order.push_back(static_cast<int>(answered - work.data()));
    switch (result.kind) {
      case StatementResult::Kind::kRows: {
        std::string text;
        for (std::size_t r = 0; r < result.rows->rows(); ++r) {
          for (std::size_t c = 0; c < result.rows->columns(); ++c) {
            if (!text.empty()) text += ',';
            text += result.rows->IsNull(r, c) ? "NULL" : std::string(result.rows->Value(r, c));
          }
        }
        results.push_back(text);
        break;
      }
      case StatementResult::Kind::kError:
        results.push_back("error " + std::string(result.sqlstate));
        message = result.message;
        fatal = result.fatal;
        break;
      case StatementResult::Kind::kAborted:
        results.push_back("aborted");
        break;
    }
  }
  void OnNoPooler(UpstreamConnection*) override { ++no_pooler; }
  void OnOutdated(UpstreamConnection*) override { ++outdated; }
  void OnAllAnswered(UpstreamConnection*) override { ++all_answered; }
  void OnLost(UpstreamConnection*, const ConnectionFault& why) override {
    lost = true;
    reason = why.text;
    last_sqlstate = why.sqlstate;
    unanswered = connection->Close();
  }

  // Runs the loop until `condition` holds; false after 20 seconds.
  bool Until(const std::function<bool()>& condition) {
    const Time end = Clock::now() + seconds(20);
    std::unique_ptr<Timer> timer;
    timer = loop.NewTimer([&] {
      if (condition() || Clock::now() > end) {
        loop.Stop();
      } else {
        timer->Start(milliseconds(2));
      }
    });
    timer->Start(Duration::zero());
    loop.Run();
    return condition();
  }
  bool Settled() {
    return Until([this] { return ready || failed; });
  }
  bool Results(std::size_t count) {
    return Until([&] { return results.size() >= count || lost; }) && results.size() >= count;
  }
  void Send(std::size_t index, const std::string& sql) {
    EXPECT_TRUE(connection->SendStatement(&work[index], sql, {}, {}));
  }

  proxy::UvEventLoop loop;
  PgCommon common{&loop};
  std::array<Work, 64> work;
  std::unique_ptr<PgConnection> connection;
  int all_answered = 0, no_pooler = 0, outdated = 0;
  bool ready = false, failed = false, lost = false, fatal = false;
  ConnectionFault failure;
  std::string reason, last_sqlstate, message;
  std::vector<Work*> unanswered;
  std::vector<int> order;
  std::vector<std::string> results;
};

}  // namespace proxymux::pgsql
