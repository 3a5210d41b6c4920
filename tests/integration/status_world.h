// A service whose words about itself are held against what was done to it.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/harness/admin_client.h"
#include "tests/harness/proxymap_client.h"
#include "tests/harness/socket.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {

inline constexpr char kAlias[] = "SELECT goto FROM alias WHERE address = '%s'";

// `proxymux serve` with a table of each kind, two servers behind most of them.
class StatusTruth : public testing::Test {
 protected:
  StatusTruth() {
    options_ = world_.Options(harness::Service::kInPlace);
    const std::string hosts = world_.Hosts();
    options_.tables = {
        {"good.cf", harness::TableText(hosts, kAlias)},
        {"mode.cf", harness::TableText(hosts, kAlias)},
        {"failing.cf", harness::TableText(hosts, "SELECT nothing FROM alias WHERE address = '%s'")},
        {"number.cf",
         harness::TableText(hosts, "SELECT goto FROM alias WHERE length(goto) = '%s'")},
        {"domain.cf", harness::TableText(hosts, kAlias, "domain = elsewhere.example\n")},
        {"cached.cf", harness::TableText(hosts, kAlias)},
        {"broken.cf", "hosts = 127.0.0.1\nno equals sign\n"},
        {"down.cf",
         harness::TableText("inet:127.0.0.1:" + std::to_string(harness::FreePort()), kAlias)},
    };
    postfix_ = std::make_unique<harness::PostfixInstance>(directory_, options_);
    admin_ = postfix_->data_directory() + "/admin";
    WriteSettings("");
    child_ = std::make_unique<harness::ChildProcess>(
        std::vector<std::string>{postfix_->daemon_directory() + "/proxymux", "serve",
                                 "--config-directory", postfix_->config_directory(), "--listen",
                                 directory_ + "/sock"},
        log_);
    EXPECT_TRUE(harness::Eventually([&] {
      return harness::HttpGet(admin_, "/healthz").status == 200;
    })) << harness::ReadFile(log_);
    client_ = std::make_unique<harness::ProxymapClient>(directory_ + "/sock");
  }

  void WriteSettings(const std::string& mode) {
    const auto section = [this](const char* table, const std::string& settings) {
      return "  \"" + postfix_->Table(table) + "\": {" + settings + "}\n";
    };
    postfix_->WriteConfig(
        "proxymux.yaml",
        "admin: {listen: " + admin_ +
            "}\nlog: {slow: 0s}\npool: {stall_limit: 0s, outage_wait: 0s}\ntables:\n" +
            section("cached.cf", "cache: {ttl: 1h, max_entries: 1}") +
            (mode.empty() ? "" : section("mode.cf", "statement_mode: " + mode)),
        0644);
  }

  harness::Answer Lookup(const char* table, const std::string& key) {
    return client_->Lookup(postfix_->Table(table), key);
  }
  std::string Health() const { return harness::HttpGet(admin_, "/healthz").body; }
  nlohmann::json Document() const {
    return nlohmann::json::parse(harness::HttpGet(admin_, "/status.json").body);
  }
  nlohmann::json TableOf(const nlohmann::json& document, const char* name) const {
    for (const nlohmann::json& table : document["tables"]) {
      if (table["name"] == postfix_->Table(name)) return table;
    }
    ADD_FAILURE() << name << " in " << document;
    return {};
  }
  std::string Ctl() const {
    return harness::RunCommand(
               {postfix_->daemon_directory() + "/proxymux", "ctl", "status", "--socket", admin_})
        .out;
  }
  void Reload() {
    const nlohmann::json before = Document();
    child_->Signal(SIGHUP);
    EXPECT_TRUE(harness::Eventually([&] {
      const nlohmann::json now = Document();
      return now["reloads"] != before["reloads"] ||
             now["reload_failures"] != before["reload_failures"];
    }));
  }

  MailWorld& world_ = MailWorld::Instance();
  const std::string directory_ = world_.NewDirectory();
  const std::string log_ = directory_ + "/output";
  harness::PostfixInstance::Options options_;
  std::unique_ptr<harness::PostfixInstance> postfix_;  // configured, never started
  std::string admin_;
  std::unique_ptr<harness::ChildProcess> child_;
  std::unique_ptr<harness::ProxymapClient> client_;
};

}  // namespace proxymux::integration
