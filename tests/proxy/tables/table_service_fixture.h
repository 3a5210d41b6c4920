// A TableService with real files, a real loop, and pools that nobody connects.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/yaml/yaml_loader.h"
#include "proxy/tables/table_service.h"
#include "tests/proxy/tables/tables_world.h"

namespace proxymux::proxy {

inline constexpr char kOther[] =
    "hosts = db2\ndbname = mail\nquery = SELECT c FROM t WHERE b = '%s'\n";
inline constexpr char kBroken[] = "hosts = db1\nno equals sign\ndbname = mail\nquery = SELECT 1\n";
inline constexpr char kFast[] = "table_check_interval: 10ms\n";

class TableServiceTest : public TablesWorld {
 protected:
  std::string Table(const std::string& name) const { return "pgsql:" + Path(name); }
  static std::shared_ptr<const ServiceConfig> Config(const std::string& yaml) {
    return std::make_shared<ServiceConfig>(config::LoadConfigText(yaml, "proxymux.yaml"));
  }
  void Serve(const std::vector<std::string>& names, const std::string& yaml = kFast) {
    std::set<std::string, std::less<>> approved = {"unix:passwd.byname"};
    for (const std::string& name : names) approved.insert(Table(name));
    registry_.emplace(approved);
    service_.emplace(&*registry_, &loader_, &loop_, &log_);
    service_->LoadAll(Config(yaml));
    service_->StartWatching();
  }
  std::shared_ptr<ServedTable> Find(const std::string& name) {
    return registry_->Find(Table(name));
  }
  // Turns the loop until it holds; the test's own time limit is the bound.
  template <typename Condition>
  void RunUntil(Condition holds) {
    UvTimer poll(loop_.uv(), [&] {
      if (holds()) loop_.Stop();
    });
    poll.StartRepeating(std::chrono::milliseconds(1));
    loop_.Run();
  }
  void RunFor(std::chrono::milliseconds time) {
    UvTimer end(loop_.uv(), [&] { loop_.Stop(); });
    end.Start(time);
    loop_.Run();
  }

  TableLoader loader_{&pools_, config::MailVersion{3, 7}, true, &main_cf_, "/etc/postfix/main.cf"};
  std::optional<TableRegistry> registry_;
  std::optional<TableService> service_;
};

}  // namespace proxymux::proxy
