#include "proxy/daemon/housekeeping.h"

#include <fmt/format.h>

#include <chrono>
#include <set>
#include <string>
#include <utility>

namespace proxymux::proxy {
namespace {

constexpr auto kInterval = std::chrono::seconds(1);
// Of these, how long the process may not be run before it is worth a line.
constexpr auto kLongAway = std::chrono::milliseconds(500);

// Every `type:table` that a domain list in use names.
std::set<std::string> DomainMembers(const TableRegistry& registry) {
  std::set<std::string> members;
  for (const auto& [name, table] : registry.tables()) {
    if (table->binding == nullptr) continue;
    for (std::string& member : table->binding->table->domain().Tables()) {
      members.insert(std::move(member));
    }
  }
  return members;
}

}  // namespace

Housekeeping::Housekeeping(DaemonParts* parts, MasterLink* master,
                           std::chrono::seconds daemon_timeout, std::function<void()> as_often)
    : parts_(parts),
      master_(master),
      as_often_(std::move(as_often)),
      watchdog_(daemon_timeout, Watchdog::Clock::now()),
      timer_(parts->loop.uv(), [this] { Run(); }) {
  timer_.StartRepeating(kInterval);
}

void Housekeeping::Run() {
  watchdog_.Rearm(Watchdog::Clock::now());
  TellAbsence();
  parts_->log.WriteSummaries();
  parts_->pools->Sweep();
  DomainTables& domains = *parts_->domain_tables;
  if (!domains.empty()) domains.Sweep(DomainMembers(*parts_->registry));
  if (parts_->clients->accepted() > 0) master_->ReportServed();
  as_often_();
}

void Housekeeping::TellAbsence() {
  const pgsql::Duration now = parts_->loop.away();
  const pgsql::Duration away = now - std::exchange(away_, now);
  if (away < kLongAway) return;
  parts_->log.LimitedWarning(
      "away",
      fmt::format("this process was not run for {:.1f} s: the machine was paused or has "
                  "too little processor time; the limits of database pools do not count that",
                  std::chrono::duration<double>(away).count()));
}

}  // namespace proxymux::proxy
