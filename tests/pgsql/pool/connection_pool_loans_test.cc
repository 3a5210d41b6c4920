// A lane is a loan: over many mixes of tables, clients and connections, a quick lookup, or one of a
// table that was never measured, is sent as soon as the server is done with what was sent to the
// connection that is done first. Time is virtual, and the servers take exactly as long as the table
// says.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/pool_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kStep = milliseconds(5);

// What the pool and the steps of the test add.
constexpr Duration kSlack = 3 * kStep;

struct Load {
  std::shared_ptr<TableBinding> table;
  Duration takes;
  int clients;
};

class LoadedWorld {
 public:
  LoadedWorld(int connections, const std::vector<Load>& loads) : loads_(loads) {
    auto options = PoolWorld::Connections(connections);
    // The tests are about who comes first, not about who is given up.
    options.settings.queue_wait = seconds(600);
    options.settings.stall_limit = milliseconds(0);
    world_ = std::make_unique<PoolWorld>(options);
    for (const Load& load : loads_) SetTimes(load.table);
    SetTimes(world_->reads);
    world_->OpenAll();
  }

  PoolWorld& world() { return *world_; }

  void Start() {
    for (const Load& load : loads_) {
      for (int i = 0; i < load.clients; ++i) Ask(load.table);
    }
    world_->Turn();
  }
  void Stop() { stopped_ = true; }

  // One step: the time passes, and every server answers what it has been at for long enough.
  void Step() {
    world_->loop.Advance(kStep);
    const Time now = world_->loop.Now();
    for (auto* upstream : world_->Open()) {
      Time& busy_until = busy_until_[upstream->number()];
      while (upstream->answerable() > 0 && busy_until <= now) {
        if (running_[upstream->number()]) {
          running_[upstream->number()] = false;
          upstream->Answer("v");
          continue;
        }
        running_[upstream->number()] = true;
        busy_until = now + TimeOf(upstream->oldest()->sql);
      }
    }
    world_->Turn();
  }

  // When the connection that is done first with all that it has been sent is done; of all, or of
  // those that have slow statements.
  Time FirstFree(bool of_slow) const {
    Time first = Time::max();
    for (auto* upstream : world_->Open()) {
      if (of_slow && (upstream->unanswered() == 0 || !IsSlow(upstream->oldest()->sql))) continue;
      const auto until = busy_until_.find(upstream->number());
      Time free = world_->loop.Now();
      if (upstream->unanswered() > 0) {
        const auto running = running_.find(upstream->number());
        const bool at_it = running != running_.end() && running->second;
        const Duration each = TimeOf(upstream->oldest()->sql);
        free = (at_it ? until->second : free + each) +
               each * static_cast<int>(upstream->unanswered() - 1);
      }
      first = std::min(first, free);
    }
    return first;
  }

  void Pass(Duration time) {
    for (const Time end = world_->loop.Now() + time; world_->loop.Now() < end;) Step();
  }

  void Finish() {
    Stop();
    for (int i = 0; i < 600000 && !world_->pool->Idle(); ++i) Step();
    EXPECT_TRUE(world_->pool->Idle());
  }

 private:
  void SetTimes(const std::shared_ptr<TableBinding>& table) const {
    table->settings.lookup_timeout = seconds(600);
    table->settings.query_timeout = seconds(600);
  }

  Duration TimeOf(const std::string& sql) const {
    for (const Load& load : loads_) {
      const std::string& query = load.table->table->query().source();
      if (sql.starts_with(query.substr(0, query.find('%')))) return load.takes;
    }
    return milliseconds(1);
  }

  bool IsSlow(const std::string& sql) const { return TimeOf(sql) >= ServiceTime::kSlow; }

  void Ask(const std::shared_ptr<TableBinding>& table) {
    const auto client = world_->Look("k" + std::to_string(++asked_), table);
    client->and_then = [this, table] {
      if (!stopped_) Ask(table);
    };
  }

  const std::vector<Load> loads_;
  std::unique_ptr<PoolWorld> world_;
  std::map<int, Time> busy_until_;
  std::map<int, bool> running_;
  int asked_ = 0;
  bool stopped_ = false;
};

std::shared_ptr<TableBinding> Measured(const std::string& column, Duration takes) {
  auto table = PoolWorld::Table("SELECT " + column + " FROM t WHERE k = '%s'", WriteClass::kReads);
  for (int i = 0; i < 50; ++i) table->service_time.Record(takes);
  return table;
}

std::shared_ptr<TableBinding> Unmeasured(const std::string& column) {
  auto table = Measured(column, milliseconds(1));
  table->service_time = ServiceTime();
  return table;
}

// Asks `quick` once, in the middle of the load, and says how long after the first connection was
// free it was sent. One that was never measured may be slow: the connection that is kept for quick
// ones is not for it.
Duration SentBehind(LoadedWorld& loaded, const std::shared_ptr<TableBinding>& quick) {
  const Time free = loaded.FirstFree(/*of_slow=*/!quick->service_time.known());
  const auto client = loaded.world().Look("quick", quick);
  loaded.world().Turn();
  for (int i = 0; i < 60000 && client->answers == 0; ++i) {
    if (!ConnectionPool::Unsent(client->ticket)) break;
    loaded.Step();
  }
  EXPECT_TRUE(client->answers == 1 || !ConnectionPool::Unsent(client->ticket));
  return loaded.world().loop.Now() - free;
}

struct Mix {
  int connections;
  std::vector<std::pair<Duration, int>> slow;  // how long a table's statement takes, its clients
  Duration before;                             // how long nothing quick was about
};

std::vector<Mix> Mixes() {
  std::vector<Mix> mixes;
  for (const int connections : {1, 2, 4}) {
    for (const Duration before : {milliseconds(50), milliseconds(8000)}) {
      for (const int clients : {1, 60}) {
        for (const Duration takes : {milliseconds(60), milliseconds(200), milliseconds(2000)}) {
          mixes.push_back({connections, {{takes, clients}}, before});
        }
        mixes.push_back(
            {connections, {{milliseconds(150), clients}, {milliseconds(3000), clients}}, before});
        mixes.push_back({connections,
                         {{milliseconds(120), clients},
                          {milliseconds(300), clients},
                          {milliseconds(700), clients},
                          {milliseconds(1100), clients},
                          {milliseconds(5000), 2}},
                         before});
      }
    }
  }
  return mixes;
}

std::string Describe(const Mix& mix) {
  std::string text = std::to_string(mix.connections) + " connections";
  for (const auto& [takes, clients] : mix.slow) {
    text += ", " + std::to_string(clients) + " clients of " +
            std::to_string(std::chrono::duration_cast<milliseconds>(takes).count()) + " ms";
  }
  return text + ", quiet for " +
         std::to_string(std::chrono::duration_cast<milliseconds>(mix.before).count()) + " ms";
}

std::vector<Load> LoadsOf(const Mix& mix, bool measured) {
  std::vector<Load> loads;
  for (const auto& [takes, clients] : mix.slow) {
    const std::string column = "slow" + std::to_string(loads.size());
    loads.push_back({measured ? Measured(column, takes) : Unmeasured(column), takes, clients});
  }
  return loads;
}

TEST(PoolLoans, AQuickLookupIsSentAsSoonAsOneConnectionIsDone) {
  for (const Mix& mix : Mixes()) {
    LoadedWorld loaded(mix.connections, LoadsOf(mix, /*measured=*/true));
    loaded.Start();
    loaded.Pass(mix.before);
    EXPECT_LE(SentBehind(loaded, loaded.world().reads), kSlack) << Describe(mix);
    loaded.Pass(milliseconds(777));
    EXPECT_LE(SentBehind(loaded, loaded.world().reads), kSlack) << Describe(mix) << ", again";
    loaded.Finish();
  }
}

TEST(PoolLoans, SoIsOneOfATableThatWasNeverMeasured) {
  for (const Mix& mix : Mixes()) {
    LoadedWorld loaded(mix.connections, LoadsOf(mix, /*measured=*/true));
    const auto fresh = Unmeasured("fresh");
    fresh->settings.lookup_timeout = seconds(600);
    loaded.Start();
    loaded.Pass(mix.before);
    EXPECT_LE(SentBehind(loaded, fresh), kSlack) << Describe(mix);
    loaded.Finish();
  }
}

TEST(PoolLoans, SoItIsWhenTheSlowTablesWereNeverMeasured) {
  for (const Mix& mix : Mixes()) {
    LoadedWorld loaded(mix.connections, LoadsOf(mix, /*measured=*/false));
    loaded.Start();
    loaded.Pass(mix.before);
    EXPECT_LE(SentBehind(loaded, loaded.world().reads), kSlack) << Describe(mix);
    loaded.Finish();
  }
}

// The lookup that was seen to starve: known to be quick, nothing for six seconds, then sixty
// clients of a statement of 200 ms for eight.
TEST(PoolLoans, QuickLookupsAreNotStarvedByAFloodThatCameWhileTheyWereAway) {
  for (const int connections : {1, 2, 3, 4, 8}) {
    LoadedWorld loaded(connections, {{Measured("slow", milliseconds(200)), milliseconds(200), 60}});
    for (int i = 0; i < 100; ++i) {
      const auto quick = loaded.world().Look("q");
      loaded.world().Turn();
      loaded.Pass(milliseconds(20));
    }
    loaded.Pass(seconds(6));
    loaded.Start();
    loaded.Pass(seconds(8));
    const auto quick = loaded.world().Look("q");
    loaded.Pass(milliseconds(200) + kSlack);
    EXPECT_EQ(quick->value, "v") << connections;
    loaded.Finish();
  }
}

}  // namespace
}  // namespace proxymux::pgsql
