// One run of the load generator: connect, warm up, measure, wait for the answers on their way.
//
// Clients ask from the moment they are connected, as Postfix's do: how a stock service spreads its
// clients over processes depends on which of these are busy.
//
// Closed loop: each client asks as soon as it has its answer, or after the think time. Open loop:
// lookups are due by BenchArrivals, the client that has been free for longest takes the next one;
// when none is free the lookup waits, and its latency counts from when it was due.
//
// Run() blocks on a loop of its own, one thread. SIGINT ends the measurement early.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/bench/bench_arrivals.h"
#include "proxy/bench/bench_options.h"
#include "proxy/bench/bench_plan.h"
#include "proxy/bench/bench_presence.h"
#include "proxy/bench/bench_processors.h"
#include "proxy/bench/bench_report.h"
#include "proxy/bench/uv_bench_alarm.h"
#include "proxy/bench/uv_bench_connections.h"
#include "proxy/bench/uv_bench_progress.h"
#include "proxy/uv/uv_handles.h"

namespace proxymux::proxy {

class UvBench : private UvBenchConnections::Listener {
 public:
  using Print = std::function<void(const std::string& line)>;

  // `progress` gets one line each second; empty: none.
  UvBench(const BenchOptions& options, BenchPlan* plan, Print progress);
  ~UvBench() override;

  // Nothing when the run could not begin; then `*error` says why.
  std::optional<BenchResult> Run(std::string* error);

 private:
  enum class Phase { kConnecting, kWarmUp, kMeasuring, kFinishing, kDone };

  struct Client {
    BenchLookup lookup;
    std::int64_t due = 0;  // of `lookup`; while parked for think time: of its end
    bool asked = false;    // waits for an answer
    bool again = false;    // `lookup` was not read: the same once more
    bool parked = false;   // stands in parked_
    bool begun = false;    // has been connected before
  };

  // A queue of clients of fixed size: each is in it once at most.
  class Ring {
   public:
    explicit Ring(std::size_t size) : items_(size) {}
    bool empty() const { return count_ == 0; }
    std::size_t front() const { return items_[first_]; }
    void Push(std::size_t item) {
      const std::size_t at = first_ + count_++;
      items_[at < items_.size() ? at : at - items_.size()] = item;
    }
    void Pop() {
      first_ = first_ + 1 == items_.size() ? 0 : first_ + 1;
      --count_;
    }

   private:
    std::vector<std::size_t> items_;
    std::size_t first_ = 0, count_ = 0;
  };

  void OnConnected(std::size_t client) override;
  void OnReply(std::size_t client, const protocol::AttributeList& reply) override;
  void OnDisconnected(std::size_t client, UvBenchConnections::End end) override;

  void SetPhase(Phase phase) { phase_ = phase; }
  bool Asking() const { return phase_ != Phase::kFinishing && phase_ != Phase::kDone; }
  bool IsIdle(std::size_t client) const { return client >= clients_.size(); }
  void Begin(std::size_t client);  // connected, for the first time or again
  void BeginRun();
  void BeginWindow();
  void RestartSchedule(std::int64_t now);
  void EndWindow();
  void Finish();  // what is still on its way is lost
  void ConnectingTakesTooLong();

  void Free(std::size_t client, std::int64_t now);  // connected, nothing to wait for
  void Park(std::size_t client);
  void Wake();
  void Ask(std::size_t client, std::int64_t due, std::int64_t now);
  void SendLookup(std::size_t client);
  void NotRead(std::size_t client);

  BenchOptions options_;
  BenchPlan* plan_;
  uv_loop_t loop_;
  Phase phase_ = Phase::kConnecting;
  std::vector<Client> clients_;
  Ring parked_;  // open loop: free; with think time: thinking
  std::unique_ptr<UvBenchConnections> connections_;
  std::unique_ptr<UvBenchAlarm> alarm_;
  std::optional<BenchArrivals> arrivals_;
  std::uint64_t schedules_ = 0;
  UvTimer phase_timer_;
  UvSignal interrupt_;
  BenchProcessors processors_;
  UvBenchProgress progress_;
  BenchResult result_;
  BenchPresence connected_;
  std::size_t on_their_way_ = 0;
  std::uint64_t asked_ = 0;  // in the window
  std::string error_;
};

}  // namespace proxymux::proxy
