// The dashboard and the alert rules, by a real Prometheus that watches a real service.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/harness/admin_client.h"
#include "tests/harness/process.h"
#include "tests/harness/socket.h"
#include "tests/harness/temp_directory.h"
#include "tests/integration/standalone_world.h"

namespace proxymux::integration {
namespace {

using harness::Eventually;
using Json = nlohmann::json;

std::string File(const std::string& name) {
  return std::filesystem::absolute("packaging/monitoring/" + name);
}

Json Dashboard() { return Json::parse(harness::ReadFile(File("dashboard.json"))); }

struct Panel {
  std::string title;
  std::vector<std::string> queries;  // as Grafana would send them
};

std::string Filled(std::string query) {
  for (const auto& [variable, value] :
       {std::pair{"\\$(job|instance)", ".*"}, {"\\$__rate_interval", "20s"}}) {
    query = std::regex_replace(query, std::regex(variable), value);
  }
  return query;
}

void CollectPanels(const Json& panels, std::vector<Panel>* all) {
  for (const Json& panel : panels) {
    if (panel["type"] == "row") {
      CollectPanels(panel["panels"], all);
      continue;
    }
    all->push_back({panel["title"], {}});
    for (const Json& target : panel["targets"]) {
      all->back().queries.push_back(Filled(target["expr"]));
    }
  }
}

std::string UrlEncoded(const std::string& text) {
  std::string encoded;
  for (const char c : text) encoded += fmt::format("%{:02x}", static_cast<unsigned char>(c));
  return encoded;
}

TEST(Monitoring, TheDashboardIsWhatItsScriptPrints) {
  EXPECT_EQ(harness::RunOrThrow({File("make-dashboard")}),
            harness::ReadFile(File("dashboard.json")));
}

TEST(Monitoring, FivePanelsAreOpenAndTheRestIsFolded) {
  int open = 0;
  const Json dashboard = Dashboard();
  for (const Json& panel : dashboard["panels"]) {
    if (panel["type"] != "row") ++open;
    if (panel["type"] == "row") EXPECT_EQ(panel["collapsed"], true) << panel["title"];
  }
  EXPECT_EQ(open, 5);
}

TEST(Monitoring, AlertsFireWhenTheyAreMeantTo) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"promtool", "check", "rules", File("alerts.yml")},
        std::vector<std::string>{"promtool", "test", "rules", File("alerts_test.yml")}}) {
    const harness::CommandResult result = harness::RunCommand(words);
    EXPECT_EQ(result.status, 0) << result.out << result.err;
  }
}

// An alert that no case fires may be one that cannot.
TEST(Monitoring, EachAlertHasACaseInWhichItFires) {
  const std::string rules = harness::ReadFile(File("alerts.yml"));
  const std::string cases = harness::ReadFile(File("alerts_test.yml"));
  const std::regex alert("- alert: (\\w+)");
  int alerts = 0;
  for (std::sregex_iterator at(rules.begin(), rules.end(), alert), end; at != end; ++at, ++alerts) {
    EXPECT_TRUE(
        std::regex_search(cases, std::regex("alertname: " + (*at)[1].str() + "\n +exp_alerts:\n")))
        << (*at)[1];
  }
  EXPECT_GE(alerts, 10);
}

class Watched : public Standalone {
 protected:
  Watched() {
    postfix_.WriteConfig(
        "proxymux.yaml",
        fmt::format("admin: {{listen: 127.0.0.1:{}}}\ntable: {{cache: {{ttl: 1h}}}}\n", port_),
        0644);
    child_ = std::make_unique<harness::ChildProcess>(
        std::vector<std::string>{binary_, "serve", "--config-directory",
                                 postfix_.config_directory(), "--listen", socket_},
        log_);
    EXPECT_TRUE(Eventually([&] { return harness::HttpGet(port_, "/healthz").status == 200; }))
        << harness::ReadFile(log_);
    harness::WriteFile(directory_ + "/prometheus.yml",
                       fmt::format("global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n"
                                   "rule_files: [{}]\n"
                                   "scrape_configs:\n"
                                   "  - job_name: mail\n"
                                   "    static_configs: [{{targets: ['127.0.0.1:{}']}}]\n",
                                   File("alerts.yml"), port_));
    prometheus_ = std::make_unique<harness::ChildProcess>(
        std::vector<std::string>{"prometheus", "--config.file=" + directory_ + "/prometheus.yml",
                                 "--storage.tsdb.path=" + directory_ + "/data",
                                 fmt::format("--web.listen-address=127.0.0.1:{}", watcher_port_)},
        directory_ + "/prometheus.log");
  }

  Json Get(const std::string& target) const {
    const harness::HttpAnswer answer = harness::HttpGet(watcher_port_, target);
    return Json::parse(answer.body, nullptr, false);
  }
  Json Ask(const std::string& query) const {
    return Get("/api/v1/query?query=" + UrlEncoded(query));
  }
  bool Shows(const std::string& query) const {
    const Json answer = Ask(query);
    return answer.is_object() && answer.contains("data") && !answer["data"]["result"].empty();
  }

  const int port_ = harness::FreePort();
  const int watcher_port_ = harness::FreePort();
  std::unique_ptr<harness::ChildProcess> prometheus_;
};

TEST_F(Watched, EveryPanelIsAnsweredAndItsMetricsAreThere) {
  std::vector<Panel> panels;
  CollectPanels(Dashboard()["panels"], &panels);
  ASSERT_GT(panels.size(), 30U);
  const std::set<std::string> shown = {
      "Lookups, by answer", "Time of a lookup",     "Use of the connections",
      "Lookups, by table",  "Requests, by table",   "Statements in a batch",
      "Statements",         "Use of the event loop"};
  harness::ProxymapClient client(socket_);
  int user = 0;
  const auto load = [&] {
    for (int i = 0; i < 20; ++i, ++user) {
      client.Lookup(postfix_.Table("pgsql-aliases.cf"), harness::AliasOf(user));
    }
    client.Lookup("unix:passwd.byname", "root");
  };
  for (const Panel& panel : panels) {
    if (!shown.contains(panel.title)) continue;
    for (const std::string& query : panel.queries) {
      if (query.find("failures_total") != std::string::npos) continue;  // there are none
      EXPECT_TRUE(Eventually(
          [&] {
            load();
            return Shows(query);
          },
          harness::seconds(60)))
          << panel.title << ": " << query << "\n"
          << harness::ReadFile(directory_ + "/prometheus.log");
    }
  }
  const std::string metrics = harness::HttpGet(port_, "/metrics").body;
  const std::regex name("proxymux_\\w+");
  for (const Panel& panel : panels) {
    for (const std::string& query : panel.queries) {
      EXPECT_EQ(Ask(query)["status"], "success") << panel.title << ": " << query;
      for (std::sregex_iterator at(query.begin(), query.end(), name), end; at != end; ++at) {
        const std::string family = std::regex_replace(at->str(), std::regex("_bucket$"), "");
        EXPECT_NE(metrics.find("# TYPE " + family + " "), std::string::npos)
            << panel.title << ": " << query;
      }
    }
  }
  const Json rules = Get("/api/v1/rules")["data"]["groups"].at(0)["rules"];
  EXPECT_GE(rules.size(), 10U);
  for (const Json& rule : rules) EXPECT_EQ(rule["health"], "ok") << rule;
}

}  // namespace
}  // namespace proxymux::integration
