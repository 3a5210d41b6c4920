// What the parts of one pool have in common, and who writes it.
// Owned by the ConnectionPool, which outlives its parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "config/values/server_config.h"
#include "pgsql/host/host_set.h"
#include "pgsql/host/lag_rule.h"
#include "pgsql/policy/session_rules.h"
#include "pgsql/pool/pool_config.h"
#include "pgsql/pool/pool_counters.h"
#include "pgsql/pool/pool_observer.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/runtime/level_meter.h"
#include "pgsql/work/demand.h"

namespace proxymux::pgsql {

struct PoolContext {
  PoolContext(PoolConfig made_of, EventLoop* loop, PoolObserver* observer, std::uint32_t seed)
      : config(std::move(made_of)),
        loop(loop),
        observer(observer),
        random(seed),
        hosts(config.hosts) {}

  const config::PoolSettings& settings() const { return config.settings; }
  std::size_t limit() const { return static_cast<std::size_t>(config.settings.connections); }
  Time Now() const { return loop->Now(); }
  // What waits is looked at when this turn of the loop ends.
  void ScheduleDispatch() { dispatch->Schedule(); }

  PoolConfig config;  // its settings: ConnectionPool
  EventLoop* const loop;
  PoolObserver* const observer;
  std::minstd_rand random;
  std::unique_ptr<TurnTask> dispatch;

  HostSet hosts;          // whoever asks a host, or hears of it
  LagRule lag_rule;       // LagQuestions; its limit: ConnectionPool
  SessionRules rules;     // CatalogueQuestions
  Demand demand;          // both dispatchers
  PoolCounters counters;  // whoever does what is counted
  struct Levels {
    LevelMeter busy;    // connections with statements in flight: ConnectionSet
    LevelMeter queued;  // lookups that wait, at the end of a turn: ConnectionPool
  } levels;

  // Of this turn.
  struct Turn {
    std::uint64_t number = 0;  // ConnectionPool
    std::size_t depth = 1;     // ConnectionOpener, see ConnectionBudget::Depth()
  } turn;

  // Of the latest connection that could not be made or was lost: ConnectionSet; of the host that is
  // too far behind: LagQuestions.
  std::string last_failure = "no database host could be connected to yet";
};

}  // namespace proxymux::pgsql
