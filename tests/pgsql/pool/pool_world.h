// A connection pool in a world of the test's making: virtual time, scripted servers, and sinks that
// remember what they were told.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pgsql/pool/connection_pool.h"
#include "tests/fakes/scripted_upstream.h"
#include "tests/fakes/virtual_event_loop.h"

namespace proxymux::pgsql {

// One caller. A second answer is a failure of the test.
class WaitingClient final : public LookupSink {
 public:
  void OnAnswer(const Answer& answer) override;
  void OnOutage(std::string_view) override { ++outages; }

  int answers = 0;
  int outages = 0;  // as often it was told that it waits for a host
  Outcome outcome = Outcome::kRetry;
  std::string value;
  std::string reason;
  Work* ticket = nullptr;
  bool abandoned = false;
  std::function<void()> and_then;  // run inside OnAnswer
};
using ClientPointer = std::shared_ptr<WaitingClient>;

class RecordingObserver final : public PoolObserver {
 public:
  void OnHostUp(const std::string&, const PoolHost& host, Duration was_down) override {
    up.push_back(host.label);
    last_was_down = was_down;
  }
  void OnOutage(const std::string&, const std::string&, Duration wait) override {
    outages.push_back(wait);
  }
  void OnOutageOver(const std::string&, Duration lasted, std::uint64_t waited,
                    std::uint64_t retried) override {
    outages_over.push_back({lasted, waited, retried});
  }
  void OnHostDown(const std::string&, const PoolHost& host) override { down.push_back(host.label); }
  void OnHostSilent(const std::string&, const PoolHost& host, Duration) override {
    silent.push_back(host.label);
  }
  void OnHostBehind(const std::string&, const PoolHost& host, bool used) override {
    behind.push_back(host.label + (used ? ", used: " : ": ") + host.lag.Why());
  }
  void OnHostCaughtUp(const std::string&, const PoolHost& host, Duration, bool was_apart) override {
    caught_up.push_back(host.label + (was_apart ? ", was apart" : ""));
  }
  void OnLagUnknown(const std::string&, const PoolHost& host, std::string_view reason) override {
    lag_unknown.push_back(host.label + ": " + std::string(reason));
  }
  void OnConnectionLost(const std::string&, const PoolHost& host, const std::string& reason,
                        std::size_t unanswered) override {
    lost.push_back(host.label + ": " + reason + " (" + std::to_string(unanswered) + ")");
  }
  void OnStatementTimeout(const std::string&, const PoolHost& host, const TableBinding&) override {
    timeouts.push_back(host.label);
  }
  void OnUnclassified(const TableBinding& binding, std::string_view reason) override {
    unclassified.push_back(binding.name + ": " + std::string(reason));
  }

  void OnOwnSession(const TableBinding& binding) override {
    own_sessions.push_back(binding.session_reason);
  }
  void OnKeptAsText(const TableBinding& binding) override {
    kept_as_text.push_back(binding.plan.text_reason());
  }
  void OnStatementsVanish(const std::string&, const PoolHost& host) override {
    vanished.push_back(host.label);
  }

  std::vector<std::string> up, down, silent, lost, timeouts, unclassified, own_sessions,
      kept_as_text, vanished, behind, caught_up, lag_unknown;
  struct OutageOver {
    Duration lasted;
    std::uint64_t waited, retried;
  };
  std::vector<Duration> outages;  // how long lookups wait
  std::vector<OutageOver> outages_over;
  Duration last_was_down{};
};

// Whoever has not been answered when it ends is a failure of the test.
class PoolWorld {
 public:
  static config::PoolSettings NoOutageWait() {
    config::PoolSettings settings;
    settings.outage_wait = {};
    return settings;
  }
  struct Options {
    std::vector<HostKind> hosts = {HostKind::kTcp};  // labelled "a", "b", ...
    config::PoolSettings settings = NoOutageWait();  // unless a test is about that
    std::chrono::seconds idle_interval{60};
    std::chrono::seconds retry_interval{60};
    std::uint32_t seed = 1;
    bool shows_lag = false;
    bool wants_primary = false;
  };
  PoolWorld() : PoolWorld(Options()) {}
  explicit PoolWorld(const Options& options);
  PoolWorld(const PoolWorld&) = delete;
  PoolWorld& operator=(const PoolWorld&) = delete;
  ~PoolWorld();

  static Options Hosts(std::size_t count);
  static Options Connections(int count);  // to one host

  // BoundTable() of tables.h.
  static std::shared_ptr<TableBinding> Table(
      const std::string& query, WriteClass write_class,
      config::StatementMode mode = config::StatementMode::kLegacy);

  ClientPointer Look(const std::string& key) { return Look(key, reads); }
  ClientPointer Look(const std::string& key, const std::shared_ptr<TableBinding>& table);
  // The client has gone away.
  void Abandon(const ClientPointer& client);

  // Ends the turn and lets the hosts answer who wants to connect, until nobody does.
  void Turn();
  // Turn(), time, Turn().
  void Pass(Duration time);
  // So many lookups at once, all answered.
  void Answered(int count);
  // One connection per host (so far as the limit allows), ready and idle.
  void OpenAll();

  fakes::ScriptedUpstream& Connection(std::size_t index);  // of those that are open
  std::vector<fakes::ScriptedUpstream*> Open() const { return factory.Open(); }
  // The oldest connection that was sent something and has not answered it. Null: there is none.
  fakes::ScriptedUpstream* Busy() const;

  fakes::VirtualEventLoop loop;
  fakes::ScriptedFactory factory;
  RecordingObserver observer;
  std::shared_ptr<TableBinding> reads;
  std::shared_ptr<TableBinding> writes;
  std::shared_ptr<TableBinding> script;  // two statements in one query
  std::unique_ptr<ConnectionPool> pool;

 private:
  std::vector<ClientPointer> clients_;
};

}  // namespace proxymux::pgsql
