#include "proxy/daemon/control_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "proxy/text/key_fold.h"
#include "proxy/text/utf8.h"

namespace proxymux::proxy {
namespace {

using Outcome = ControlOutcome;

ControlReply Reply(Outcome outcome, std::string line) { return {outcome, std::move(line) + "\n"}; }

// Calls `visit` with each pool that has the host, and the host's place in it. How many that are.
template <typename Visit>
std::size_t ForEachPoolWith(const pgsql::PgPools& pools, std::string_view host, Visit visit) {
  std::size_t found = 0;
  for (const auto& pool : pools.All()) {
    for (std::size_t index = 0; index < pool->hosts().size(); ++index) {
      if (pool->hosts()[index].label != host) continue;
      visit(*pool, index);
      ++found;
    }
  }
  return found;
}

constexpr std::array<std::pair<std::string_view, LogSeverity>, 3> kLogLevels = {{
    {"debug", LogSeverity::kDebug},
    {"info", LogSeverity::kInfo},
    {"warning", LogSeverity::kWarning},
}};

}  // namespace

struct ControlCommands::Command {
  std::string_view name;
  std::string_view required;  // an argument; empty: none is
  std::vector<std::string_view> optional;
  ControlReply (ControlCommands::*run)(const ControlRequest&);
  bool while_draining = false;
};

const ControlCommands::Command* ControlCommands::Find(std::string_view name) {
  static const std::array<Command, 7> kCommands = {{
      {"reload", "", {}, &ControlCommands::Reload},
      {"drain", "", {}, &ControlCommands::Drain},
      {"disable", "host", {"force"}, &ControlCommands::Disable},
      {"enable", "host", {}, &ControlCommands::Enable},
      {"reconnect", "", {"host"}, &ControlCommands::Reconnect},
      {"forget", "", {"table", "key"}, &ControlCommands::Forget},
      {"log-level", "", {"level"}, &ControlCommands::LogLevel, /*while_draining=*/true},
  }};
  const auto* const found = std::ranges::find(kCommands, name, &Command::name);
  return found == kCommands.end() ? nullptr : found;
}

ControlCommands::ControlCommands(DaemonSettings* settings, DaemonParts* parts, Logger* logger,
                                 Service service, std::string disabled_file)
    : settings_(settings),
      parts_(parts),
      logger_(logger),
      service_(std::move(service)),
      disabled_(std::move(disabled_file)) {}

void ControlCommands::RestoreDisabledHosts() {
  if (const std::string problem = disabled_.Load(); !problem.empty()) {
    logger_->Warning(problem + "; no host is disabled");
  }
  for (const std::string& host : disabled_.names()) {
    logger_->Info(
        fmt::format("host {} is disabled: it gets no lookups (proxymux ctl enable)", host));
  }
  parts_->pools->SetDisabledHosts(disabled_.names());
}

ControlReply ControlCommands::Do(const ControlRequest& request) {
  const Command* const command = Find(request.command);
  if (command == nullptr) {
    return Reply(Outcome::kMalformed, "this service has no command " + request.command +
                                          ": it is of another version than the program that asks");
  }
  for (const auto& [name, value] : request.arguments) {
    if (name == command->required || std::ranges::count(command->optional, name) > 0) continue;
    return Reply(Outcome::kMalformed, request.command + " takes no argument " + name);
  }
  if (!command->required.empty() && request.Find(command->required) == nullptr) {
    return Reply(Outcome::kMalformed,
                 request.command + " needs an argument " + std::string(command->required));
  }
  if (service_.draining() && !command->while_draining) {
    return Reply(Outcome::kRefused, "the service is draining, and ends soon");
  }
  return (this->*command->run)(request);
}

ControlReply ControlCommands::Reload(const ControlRequest&) {
  const ReloadReport report = service_.reload();
  std::string text;
  for (const std::string& line : report.lines) text += line + "\n";
  if (report.done) {
    text +=
        fmt::format("settings and {} tables were read again{}\n", parts_->registry->tables().size(),
                    report.lines.empty() ? ": nothing has changed" : "");
  }
  return {report.as_written ? Outcome::kDone : Outcome::kRefused, std::move(text)};
}

ControlReply ControlCommands::Drain(const ControlRequest&) {
  logger_->Info("ctl drain: no more clients are taken, and the service ends");
  const std::size_t clients = parts_->clients->now();
  service_.drain();
  return Reply(Outcome::kDone,
               fmt::format("draining: {} clients are connected; lookups under way are answered, "
                           "for {} ms at most (drain_timeout), then the service ends",
                           clients, settings_->server().drain_timeout.count()));
}

ControlReply ControlCommands::NoSuchHost(std::string_view host) const {
  std::set<std::string> known;
  for (const auto& pool : parts_->pools->All()) {
    for (std::size_t i = 0; i < pool->hosts().size(); ++i) known.insert(pool->hosts()[i].label);
  }
  std::string text = fmt::format("no pool has a host {}; there are: ", host);
  for (const char* separator = ""; const std::string& name : known) {
    text += std::exchange(separator, ", ") + name;
  }
  return Reply(Outcome::kUnknown,
               known.empty() ? fmt::format("no pool has a host {}", host) : text);
}

ControlReply ControlCommands::Disable(const ControlRequest& request) {
  const std::string& host = *request.Find("host");
  std::string alone;  // the pool that has no other
  std::size_t in_flight = 0;
  const std::size_t places =
      ForEachPoolWith(*parts_->pools, host, [&](pgsql::ConnectionPool& pool, std::size_t index) {
        if (!pool.hosts().CanDoWithout(host)) alone = pool.name();
        in_flight += pool.InFlightOn(index);
      });
  if (places == 0) return NoSuchHost(host);
  // Another process of this service may have changed it.
  if (std::string problem = disabled_.Load(); !problem.empty()) {
    return Reply(Outcome::kRefused, std::move(problem));
  }
  if (disabled_.names().contains(host)) return Reply(Outcome::kDone, host + " is disabled already");
  if (!alone.empty() && request.Find("force") == nullptr) {
    return Reply(Outcome::kRefused,
                 fmt::format("pool {} has no other host that may be usable: its lookups would be "
                             "answered RETRY (--force disables {} all the same)",
                             alone, host));
  }
  if (std::string problem = disabled_.Disable(host); !problem.empty()) {
    return Reply(Outcome::kRefused, std::move(problem));
  }
  parts_->pools->SetDisabledHosts(disabled_.names());
  logger_->Info(fmt::format("ctl disable: host {} gets no lookups until it is enabled", host));
  return Reply(Outcome::kDone,
               fmt::format("{} is disabled: {} statements under way there are answered, and "
                           "nothing more is sent to it until `proxymux ctl enable {}`",
                           host, in_flight, host));
}

ControlReply ControlCommands::Enable(const ControlRequest& request) {
  const std::string& host = *request.Find("host");
  if (std::string problem = disabled_.Load(); !problem.empty()) {
    return Reply(Outcome::kRefused, std::move(problem));
  }
  if (!disabled_.names().contains(host)) {
    const auto nothing = [](pgsql::ConnectionPool&, std::size_t) {};
    if (ForEachPoolWith(*parts_->pools, host, nothing) == 0) return NoSuchHost(host);
    return Reply(Outcome::kDone, host + " is not disabled");
  }
  if (std::string problem = disabled_.Enable(host); !problem.empty()) {
    return Reply(Outcome::kRefused, std::move(problem));
  }
  parts_->pools->SetDisabledHosts(disabled_.names());
  logger_->Info(fmt::format("ctl enable: host {} may get lookups again", host));
  return Reply(Outcome::kDone, host + " is enabled");
}

ControlReply ControlCommands::Reconnect(const ControlRequest& request) {
  const std::string* const wanted = request.Find("host");
  std::size_t hosts = 0;
  std::size_t connections = 0;
  for (const auto& pool : parts_->pools->All()) {
    for (std::size_t index = 0; index < pool->hosts().size(); ++index) {
      if (wanted != nullptr && pool->hosts()[index].label != *wanted) continue;
      connections += pool->Reconnect(index);
      ++hosts;
    }
  }
  if (hosts == 0 && wanted != nullptr) return NoSuchHost(*wanted);
  logger_->Info(fmt::format("ctl reconnect: {} connections{} are replaced", connections,
                            wanted == nullptr ? "" : " to host " + *wanted));
  return Reply(Outcome::kDone,
               fmt::format("{} connections are replaced by new ones, one after the other in each "
                           "pool, while their hosts can be connected to",
                           connections));
}

void ControlCommands::ForgetKey(AnswerCache* cache, const std::string& key,
                                std::size_t* forgotten) const {
  // Clients may have asked for it as it stands here, or folded.
  std::set<std::string> forms = {key};
  std::string folded;
  FoldAscii(key, &folded);
  forms.insert(folded);
  if (IsValidUtf8(key) && FoldUtf8(key, &folded)) forms.insert(folded);
  for (const std::string& form : forms) {
    if (cache->Forget(form, parts_->loop.RealNow())) ++*forgotten;
  }
}

ControlReply ControlCommands::Forget(const ControlRequest& request) {
  const std::string* const name = request.Find("table");
  const std::string* const key = request.Find("key");
  if (key != nullptr && name == nullptr) return Reply(Outcome::kMalformed, "a key needs a table");
  std::size_t tables = 0;
  std::size_t forgotten = 0;
  for (const auto& [full_name, table] : parts_->registry->tables()) {
    if (name != nullptr && full_name != *name && full_name != "pgsql:" + *name) continue;
    if (name != nullptr && table->cache == nullptr) {
      return Reply(Outcome::kRefused, "table " + full_name +
                                          " keeps no answers (cache.ttl, cache.negative_ttl and "
                                          "stale_if_error of proxymux.yaml)");
    }
    if (table->cache == nullptr) continue;
    ++tables;
    if (key != nullptr) {
      ForgetKey(table->cache.get(), *key, &forgotten);
    } else {
      forgotten += table->cache->entries();
      table->cache->ForgetAll(parts_->loop.RealNow());
    }
  }
  if (tables == 0 && name != nullptr) {
    return Reply(Outcome::kUnknown, "there is no approved pgsql table " + *name);
  }
  logger_->Info(fmt::format("ctl forget: {} answers of {} tables", forgotten, tables));
  return Reply(Outcome::kDone,
               fmt::format("{} answers of {} tables are forgotten", forgotten, tables));
}

ControlReply ControlCommands::LogLevel(const ControlRequest& request) {
  const std::string* const level = request.Find("level");
  if (level != nullptr) {
    const auto* const found =
        std::ranges::find(kLogLevels, *level, [](const auto& row) { return row.first; });
    if (found == kLogLevels.end()) {
      return Reply(Outcome::kMalformed, "there is no level " + *level +
                                            ": debug, info, or warning (more cannot be hidden)");
    }
    logger_->SetThreshold(LogSeverity::kInfo);  // the next line is for everybody
    logger_->Info(fmt::format("ctl log-level: {}", *level));
    logger_->SetThreshold(found->second);
  }
  const auto* const now = std::ranges::find_if(
      kLogLevels, [this](const auto& row) { return logger_->Enabled(row.second); });
  return Reply(Outcome::kDone,
               fmt::format("log level {}{}", now->first,
                           level == nullptr ? "" : ", until the next reload or start"));
}

}  // namespace proxymux::proxy
