// What the tests of PgBouncer share: one that stands between the service and PostgreSQL.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/harness/load_clients.h"
#include "tests/harness/load_on.h"
#include "tests/harness/pg_bouncer.h"
#include "tests/harness/postfix_instance.h"
#include "tests/harness/proxymap_client.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {

inline constexpr char kNoWait[] = "pool: {outage_wait: 0s}\n";

class BehindPgBouncer : public testing::Test {
 protected:
  ~BehindPgBouncer() override {
    postfix_.reset();
    bouncer_.reset();
    world_.Mend();
  }

  void StartBouncer(const std::string& pool_mode, int default_pool_size = 20,
                    const std::vector<std::string>& settings = {}) {
    harness::PgBouncer::Options options;
    options.pool_mode = pool_mode;
    options.default_pool_size = default_pool_size;
    options.settings = settings;
    world_.Mend();
    bouncer_ = std::make_unique<harness::PgBouncer>(world_.NewDirectory(), world_.first(), options);
    bouncer_->Start();
  }
  // Further settings of PgBouncer for each way in which it may treat the prepared statements of its
  // clients: from 1.21 on it can track them. One way that asks for nothing, before.
  std::vector<std::vector<std::string>> Trackings() {
    const std::string name = "max_prepared_statements";
    StartBouncer("session");
    const std::vector<std::string> known = bouncer_->Show("SHOW CONFIG", "key");
    if (std::find(known.begin(), known.end(), name) == known.end()) return {{}};
    return {{name + " = 0"}, {name + " = 100"}};
  }
  // The service, with PgBouncer as its only host or with the second mirror beside it.
  void StartService(const std::string& yaml = "", bool second_host = false) {
    StartService(yaml, harness::MailTables(bouncer_->TcpHost() +
                                           (second_host ? " " + world_.second().TcpHost() : "")));
  }
  void StartService(const std::string& yaml, const std::vector<harness::TableFile>& tables) {
    auto options = world_.Options(harness::Service::kInPlace);
    options.tables = tables;
    options.yaml = yaml;
    postfix_ = std::make_unique<harness::PostfixInstance>(world_.NewDirectory(), options);
    postfix_->Start();
  }

  harness::LoadOptions Load(int clients) { return harness::LoadOn(*postfix_, clients); }
  void ExpectAllAnswered(harness::LoadClients* load) {
    const harness::LoadReport report = load->Finish();
    EXPECT_EQ(report.Failed(), 0u) << report.Text() << postfix_->Log();
  }

  // While `stop` and then `start` happen behind the service, which has a second host.
  void ExpectNoLoss(const std::function<void()>& stop, const std::function<void()>& start) {
    harness::LoadClients load(Load(100));
    ASSERT_TRUE(load.WaitForAnswers(5000)) << postfix_->Log();
    for (int i = 0; i < 2; ++i) {
      stop();
      EXPECT_TRUE(load.WaitForAnswers(10000, harness::seconds(60))) << postfix_->Log();
      start();
      EXPECT_TRUE(load.WaitForAnswers(10000, harness::seconds(60))) << postfix_->Log();
      EXPECT_TRUE(harness::Eventually([&] { return Sessions("%") > 0; }, harness::seconds(60)))
          << postfix_->Log();
    }
    ExpectAllAnswered(&load);
  }

  harness::Answer Look(const std::string& table, const std::string& key) {
    harness::ProxymapClient client(postfix_->SocketPath());
    return client.Lookup(postfix_->Table(table), key);
  }
  harness::Answer Look(int user) { return Look("pgsql-aliases.cf", harness::AliasOf(user)); }
  // Sessions of ours on the server behind PgBouncer whose latest statement looks like `pattern`.
  int Sessions(const std::string& pattern) {
    return std::atoi(
        world_.first()
            .Sql("postgres", "SELECT count(*) FROM pg_stat_activity WHERE usename = '" +
                                 std::string(harness::kMailRole) + "' AND query LIKE '" + pattern +
                                 "'")
            .c_str());
  }

  MailWorld& world_ = MailWorld::Instance();
  std::unique_ptr<harness::PgBouncer> bouncer_;
  std::unique_ptr<harness::PostfixInstance> postfix_;
};

}  // namespace proxymux::integration
