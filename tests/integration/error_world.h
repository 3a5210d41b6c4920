// What the tests of error classes share: two mirrors, of which the first raises what a test asks
// for, and a service that asks them.
//
// The first mirror is reached over its UNIX socket and therefore preferred; the second one answers.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <iterator>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/harness/host_status.h"
#include "tests/harness/proxymap_client.h"
#include "tests/integration/error_cases.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {

// The mirrors of this program's MailWorld, with what raises errors; made once.
inline MailWorld& TroubledWorld() {
  static const bool made = [] {
    MailWorld& world = MailWorld::Instance();
    CreateTroubles(world.first(), /*armed=*/true);
    CreateTroubles(world.second(), /*armed=*/false);
    world.first().Sql("postgres", "ALTER SYSTEM SET log_line_prefix = '%m [%p] %u SQLSTATE %e '");
    world.first().Sql("postgres", "ALTER SYSTEM SET deadlock_timeout = '100ms'");
    world.first().Sql("postgres", "SELECT pg_reload_conf()");
    EXPECT_TRUE(harness::Eventually(
        [&] { return world.first().Sql("postgres", "SHOW deadlock_timeout") == "100ms"; }));
    return true;
  }();
  EXPECT_TRUE(made);
  return MailWorld::Instance();
}

class ErrorWorld : public testing::Test {
 protected:
  ~ErrorWorld() override {
    client_.reset();
    postfix_.reset();
    world_.Mend();
  }

  std::string first_host() { return "unix:" + world_.first().socket_directory(); }
  std::string Hosts() { return first_host() + " " + world_.second().TcpHost(); }

  void Start(const std::string& yaml = "", const std::vector<harness::TableFile>& more = {}) {
    auto options = world_.Options(harness::Service::kInPlace);
    options.tables = harness::MailTables(Hosts());
    for (const char* mode : {"legacy", "parameterized", "prepared"}) {
      for (const char* function : {"trouble", "trouble_writing"}) {
        options.tables.push_back(
            {std::string(function) + "-" + mode + ".cf",
             harness::TableText(Hosts(), std::string("SELECT ") + function + "('%s')",
                                std::string("statement_mode = ") + mode + "\n")});
      }
    }
    options.tables.insert(options.tables.end(), more.begin(), more.end());
    options.yaml = yaml;
    postfix_ = std::make_unique<harness::PostfixInstance>(world_.NewDirectory(), options);
    postfix_->Start();
    client_ = std::make_unique<harness::ProxymapClient>(postfix_->SocketPath());
  }

  harness::Answer Look(const std::string& table, const std::string& key) {
    return client_->Lookup(postfix_->Table(table), key);
  }
  bool Answers(int user) {
    return Look("pgsql-aliases.cf", harness::AliasOf(user)).IsValue(harness::AddressOf(user));
  }
  harness::HostStatus First() {
    return harness::HostStatusOf(*postfix_, world_.first().socket_directory());
  }

  // Sessions of ours on the first mirror.
  std::set<std::string> Pids() { return PidsOn(world_.first()); }
  static std::set<std::string> PidsOn(harness::PostgresCluster& server) {
    std::istringstream words(server.Sql("postgres",
                                        "SELECT string_agg(pid::text, ' ') FROM pg_stat_activity"
                                        " WHERE application_name = 'proxymux'"));
    return {std::istream_iterator<std::string>(words), std::istream_iterator<std::string>()};
  }
  // How often the first mirror's log has that SQLSTATE.
  int Logged(std::string_view code) {
    const std::string log = harness::ReadFile(world_.first().log_path());
    const std::string text = "SQLSTATE " + std::string(code) + " ";
    int count = 0;
    for (std::size_t at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) {
      const std::size_t severity = at + text.size();
      if (log.compare(severity, 5, "ERROR") == 0 || log.compare(severity, 5, "FATAL") == 0) ++count;
    }
    return count;
  }

  MailWorld& world_ = TroubledWorld();
  std::unique_ptr<harness::PostfixInstance> postfix_;
  std::unique_ptr<harness::ProxymapClient> client_;
};

}  // namespace proxymux::integration
