// What the policies of a pool look at, made by hand: hosts that are up, connections that are ready,
// works that are sent on them. No pool.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "pgsql/policy/pool_view.h"
#include "pgsql/policy/session_rules.h"
#include "tests/pgsql/host/host_failures.h"
#include "tests/pgsql/host/some_hosts.h"
#include "tests/pgsql/work/tables.h"

namespace proxymux::pgsql {

// A server's side that is as the test says.
class StillUpstream final : public UpstreamConnection {
 public:
  void Connect() override {}
  LiteralEscaper& escaper() override { std::abort(); }
  bool SendStatement(Work*, const std::string&, std::span<const std::uint32_t>,
                     std::span<const char* const>) override {
    return false;
  }
  bool SendQuestion(Work*, const std::string&, std::span<const char* const>) override {
    return false;
  }
  bool SendPrepare(Work*, const std::string&, const std::string&,
                   std::span<const std::uint32_t>) override {
    return false;
  }
  bool SendPrepared(Work*, const std::string&, std::span<const char* const>) override {
    return false;
  }
  bool SendScript(Work*, const std::string&) override { return false; }
  bool Sync() override { return false; }
  bool Commit() override { return false; }
  bool BatchOpen() const override { return batch_open; }
  bool AllAnswered() const override { return all_answered; }
  bool Pooled() const override { return pooled; }
  std::string ServerVersion() const override { return {}; }
  bool Swollen() const override { return false; }
  void CancelRunning() override {}
  std::vector<Work*> Close() override { return {}; }

  bool batch_open = false;
  bool all_answered = true;
  bool pooled = false;
};

class PolicyWorld : public testing::Test {
 protected:
  using Phase = PoolConnection::Phase;

  explicit PolicyWorld(std::size_t host_count = 2) : hosts(SomeHosts(host_count)) {
    for (std::size_t host = 0; host < host_count; ++host) hosts[host].health.OnConnected(now);
  }
  ~PolicyWorld() override {
    for (const auto& connection : connections) {
      while (!connection->idle()) connection->OnBack(connection->running());
    }
  }

  // Ready, and idle.
  PoolConnection& Open(std::size_t host = 0, Phase phase = Phase::kShared) {
    connections.push_back(std::make_unique<PoolConnection>(connections.size() + 1, host, now,
                                                           std::make_unique<StillUpstream>()));
    PoolConnection& connection = *connections.back();
    ++hosts[host].ready;
    connection.SetPhase(Phase::kShared);
    if (phase != Phase::kShared) connection.SetPhase(Phase::kEmptying);
    if (phase == Phase::kLane) connection.SetPhase(Phase::kLane);
    connection.opened = connection.last_result = now;
    return connection;
  }
  void Down(std::size_t host) { TakeDown(hosts[host], now, &random); }
  // It was down, and has answered nothing on the connection that it got.
  void OnTrial(std::size_t host) {
    FailAttempt(hosts[host], now, &random);
    hosts[host].health.OnConnected(now);
  }
  static StillUpstream& Upstream(PoolConnection& connection) {
    return static_cast<StillUpstream&>(*connection.upstream);
  }

  static std::shared_ptr<TableBinding> Quick() { return QuickTable(); }
  static std::shared_ptr<TableBinding> Own() { return OwnSessionTable(); }
  static std::shared_ptr<TableBinding> Unknown() {
    return BoundTable("SELECT v FROM t WHERE k = '%s'", WriteClass::kUnknown);
  }
  static std::shared_ptr<TableBinding> Slow(Duration taken) { return SlowTable(taken); }

  Work* Lookup(const std::shared_ptr<TableBinding>& table) {
    Work& work = works.emplace_back();
    work.binding = table;
    work.attempts.Reset(hosts.size());
    work.needs.script = table->IsScript();
    work.wire.protocol = work.needs.script ? Protocol::kSimple : Protocol::kExtended;
    return &work;
  }
  Work* Question(const std::shared_ptr<TableBinding>& table) {
    Work* work = Lookup(table);
    work->kind = Work::Kind::kClassify;
    work->needs.script = false;
    work->wire.protocol = Protocol::kExtended;
    return work;
  }
  // In an earlier turn, a second ago.
  Work* Send(PoolConnection& connection, const std::shared_ptr<TableBinding>& table,
             bool in_lane = false) {
    return Send(connection, table, in_lane, std::chrono::seconds(1));
  }
  Work* Send(PoolConnection& connection, const std::shared_ptr<TableBinding>& table, bool in_lane,
             Duration ago) {
    Work* work = Lookup(table);
    work->sent = now - ago;
    work->in_lane = in_lane;
    connection.OnSent(work, turn - 1);
    return work;
  }
  // So many, sent and answered in an earlier turn but for these.
  void Load(PoolConnection& connection, int count) {
    for (int i = 0; i < count; ++i) {
      Send(connection, Quick(), false, std::chrono::milliseconds(10));
    }
  }

  PoolView View() const {
    PoolView view{connections, hosts, now};
    view.turn = turn;
    view.depth = depth;
    view.usable = usable;
    view.sharers_about = sharers_about;
    view.quick_about = quick_about;
    return view;
  }

  Time now{std::chrono::hours(1)};
  std::uint64_t turn = 7;
  std::size_t depth = 4;
  std::size_t usable = 4;
  bool sharers_about = false;
  bool quick_about = false;
  std::minstd_rand random{5};
  HostSet hosts;
  std::deque<Work> works;
  std::vector<std::unique_ptr<PoolConnection>> connections;
  SessionRules rules;
};

}  // namespace proxymux::pgsql
