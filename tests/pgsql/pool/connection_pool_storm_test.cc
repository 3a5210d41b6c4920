// Thousands of random steps: whatever clients, servers and the clock do, the pool keeps its
// promises. The seed is printed; PROXYMUX_SEED=N repeats a run,
// PROXYMUX_STORMS=N is how many there are.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>
#include <set>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/catalogue_answers.h"
#include "tests/pgsql/pool/pool_world.h"

namespace proxymux::pgsql {
namespace {

using Mood = fakes::ScriptedFactory::Mood;
using std::chrono::milliseconds;

class Storm {
 public:
  explicit Storm(std::uint32_t seed) : random_(seed), world_(MakeOptions(seed, &random_)) {
    for (const auto& table : {world_.reads, world_.writes, world_.script}) tables_.push_back(table);
    tables_.push_back(PoolWorld::Table("SELECT f('%s')", WriteClass::kUnknown));
    for (const auto mode : {config::StatementMode::kAuto, config::StatementMode::kPrepared,
                            config::StatementMode::kParameterized}) {
      AddWithParameters("SELECT v FROM t WHERE k = '%s'", mode);
      // The same statement in a lane: two tables share what is prepared.
      AddWithParameters("SELECT v FROM t WHERE k = '%s'", mode)->service_time.Record(kSlow);
      // The server may not know the type of its second parameter.
      AddWithParameters("SELECT v FROM t WHERE k = '%s' AND '%u' IS NOT NULL", mode);
    }
    tables_.push_back(PoolWorld::Table("SELECT g('%s') FROM t", WriteClass::kMayWrite,
                                       config::StatementMode::kPrepared));
    tables_.push_back(PoolWorld::Table("SELECT w FROM t WHERE k = '%s'", WriteClass::kReads));
    tables_.back()->service_time.Record(kSlow);
    for (const std::string column : {"x", "f('y')"}) {
      AddHedged("SELECT " + column + " FROM t WHERE k = '%s'", WriteClass::kReads);
    }
    AddHedged("SELECT f(z) FROM t WHERE k = '%s'", WriteClass::kUnknown);
    for (const auto& table : tables_) {
      table->settings.query_timeout = milliseconds(300);
      table->settings.lookup_timeout = milliseconds(2000);
    }
  }

  // What is alone on a connection goes by the simple protocol from now on, on one host at least.
  void MeasureSimpleIsBetter() {
    const auto table =
        std::ranges::find_if(tables_, [](const auto& one) { return one->plan.is_automatic(); });
    const auto settled = [&] {
      for (std::size_t i = 0; i < world_.pool->hosts().size(); ++i) {
        if (world_.pool->hosts()[i].lone_form.better() == Protocol::kSimple) return true;
      }
      return false;
    };
    for (int i = 0; i < 2000 && !settled(); ++i) {
      const ClientPointer client = world_.Look("measured", *table);
      world_.Turn();
      const auto* busy = world_.Busy();
      const bool simple = busy != nullptr && busy->history().back() == 'X';
      world_.loop.Advance(milliseconds(simple ? 1 : 2));
      AnswerCalmly();
      world_.Turn();
    }
    EXPECT_TRUE(settled());
  }

  void Run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      Step();
      Check();
    }
    CalmDown();
  }

 private:
  static PoolWorld::Options MakeOptions(std::uint32_t seed, std::minstd_rand* random) {
    const auto pick = [&](int low, int high) {
      return std::uniform_int_distribution<int>(low, high)(*random);
    };
    PoolWorld::Options options;
    options.hosts.clear();
    for (int i = pick(1, 3); i > 0; --i) {
      options.hosts.push_back(static_cast<HostKind>(pick(0, 2)));
    }
    options.settings.connections = pick(1, 6);
    options.settings.pipeline_depth = pick(1, 8);
    options.settings.queue_limit = pick(5, 60);
    options.settings.queue_wait = milliseconds(pick(100, 1500));
    // Servers take 20 ms when all is well.
    options.settings.stall_limit = milliseconds(pick(0, 3) == 0 ? 0 : pick(45, 250));
    options.settings.outage_wait = milliseconds(pick(0, 2) == 0 ? 0 : pick(20, 4000));
    options.settings.max_replica_lag = milliseconds(pick(0, 1) == 0 ? 0 : pick(50, 3000));
    options.settings.when_all_lag =
        pick(0, 1) == 0 ? config::WhenAllLag::kUse : config::WhenAllLag::kRetry;
    options.shows_lag = pick(0, 1) == 0;
    options.settings.hosts_policy =
        pick(0, 2) == 0 ? config::HostsPolicy::kSticky : config::HostsPolicy::kSpread;
    options.idle_interval = std::chrono::seconds(pick(1, 3));
    options.retry_interval = std::chrono::seconds(pick(1, 5));
    options.seed = seed;
    return options;
  }

  int stamp_ = 0;
  static constexpr Duration kSlow = milliseconds(400);

  const std::shared_ptr<TableBinding>& AddWithParameters(const std::string& query,
                                                         config::StatementMode mode) {
    tables_.push_back(PoolWorld::Table(query, WriteClass::kReads, mode));
    EXPECT_NE(tables_.back()->plan.form(Time()), StatementForm::kText) << query;
    return tables_.back();
  }

  // Asks a second host for what takes more than 2 ms, half of the time.
  void AddHedged(const std::string& query, WriteClass write_class) {
    tables_.push_back(PoolWorld::Table(query, write_class));
    tables_.back()->settings.hedge_percent = 50;
    UsualWait& usual = tables_.back()->usual_wait;
    usual = UsualWait(50);
    for (std::uint64_t i = 0; i < UsualWait::kWindow; ++i) usual.Record(milliseconds(2));
    EXPECT_TRUE(usual.LongerThanUsual(milliseconds(3)));
  }

  // The catalogue says what it likes, and changes.
  std::string AnswerTo(const fakes::ScriptedUpstream::Sent& sent) {
    if (AsksLag(sent.sql)) return Lag();
    if (!AsksCatalogue(sent.sql) || Pick(0, 19) == 0) return "v";
    if (Pick(0, 9) == 0) ++stamp_;
    const std::string stamp = "000000000000000" + std::to_string(stamp_ % 10);
    if (sent.parameters.empty()) return stamp;
    const char* const said[] = {"reads shared ", "writes shared ", "reads transaction ",
                                "writes session "};
    return said[Pick(0, 3)] + stamp + " function f()";
  }

  std::string Lag() {
    const std::string position = std::to_string(Pick(1, 100));
    switch (Pick(0, 4)) {
      case 0:
        return "7 primary " + position + (Pick(0, 9) == 0 ? " 00000002" : " 00000001");
      case 1:
        return "7 standby " + position + " 90 apart " + std::to_string(Pick(0, 5000000));
      case 2:
        return "unknown";
      default:
        return "7 standby " + position + " " + position + " receiving 1000";
    }
  }

  int Pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }

  void Submit() {
    const ClientPointer client = world_.Look(
        "k" + std::to_string(clients_.size()),
        tables_[static_cast<std::size_t>(Pick(0, static_cast<int>(tables_.size()) - 1))]);
    if (Pick(0, 3) == 0) {
      client->and_then = [this] { ask_again_ ? Submit() : void(); };
    }
    clients_.push_back(client);
  }

  fakes::ScriptedUpstream* AnyReady(bool with_work) {
    std::vector<fakes::ScriptedUpstream*> ready;
    for (auto* upstream : world_.Open()) {
      if (upstream->state() == fakes::ScriptedUpstream::State::kReady && !Frozen(*upstream) &&
          (!with_work || upstream->answerable() > 0)) {
        ready.push_back(upstream);
      }
    }
    if (ready.empty()) return nullptr;
    return ready[static_cast<std::size_t>(Pick(0, static_cast<int>(ready.size()) - 1))];
  }

  // A frozen host takes what is sent and lets nobody in; nothing comes from it before it thaws.
  bool Frozen(const fakes::ScriptedUpstream& upstream) const {
    return frozen_.count(upstream.host()) > 0;
  }

  std::size_t AnyHost() {
    return static_cast<std::size_t>(Pick(0, static_cast<int>(world_.pool->hosts().size()) - 1));
  }

  void FreezeOrThaw() {
    const std::size_t host = AnyHost();
    const bool thaws = frozen_.erase(host) > 0;
    if (!thaws) frozen_.insert(host);
    world_.factory.SetMood(host, thaws ? Mood::kAccepts : Mood::kSilent);
  }

  void TimeOutOneConnect() {
    for (auto* upstream : world_.Open()) {
      if (upstream->state() != fakes::ScriptedUpstream::State::kConnecting) continue;
      if (world_.factory.mood(upstream->host()) != Mood::kSilent) continue;
      upstream->Refuse("", "timeout expired");
      return;
    }
  }

  void Step() {
    static const std::array kCodes = {"22P02", "42P01", "40001", "57014", "53200", "57P01",
                                      "",      "26000", "0A000", "42P18", "42P05", "08P01"};
    switch (Pick(0, 17)) {
      case 0:
      case 1:
      case 2:
      case 3:
        for (int i = Pick(1, 6); i > 0; --i) Submit();
        break;
      case 4:
        if (!clients_.empty()) {
          const auto& client =
              clients_[static_cast<std::size_t>(Pick(0, static_cast<int>(clients_.size()) - 1))];
          if (client->ticket != nullptr) world_.Abandon(client);
        }
        break;
      case 5:
        if (const std::size_t host = AnyHost(); frozen_.count(host) == 0) {
          world_.factory.SetMood(host, static_cast<Mood>(Pick(0, 3)));
        }
        break;
      case 6:
        if (auto* upstream = AnyReady(false)) {
          Pick(0, 3) == 0 ? upstream->Outdate() : upstream->Lose("lost");
        }
        break;
      case 7:
        if (auto* upstream = AnyReady(true)) {
          upstream->Fail(
              kCodes[static_cast<std::size_t>(Pick(0, static_cast<int>(kCodes.size()) - 1))],
              "of $" + std::to_string(Pick(1, 2)), Pick(0, 3) == 0);
        }
        break;
      case 8:
        if (Pick(0, 9) == 0) {
          if (auto* upstream = AnyReady(false)) {
            Pick(0, 1) == 0 ? upstream->BreakSending() : upstream->BreakSyncing();
          }
        }
        break;
      case 9:
        world_.loop.Advance(milliseconds(Pick(1, 400)));
        break;
      case 10:
        world_.factory.Settle();
        break;
      case 11:
        world_.loop.EndTurn();
        break;
      case 12:
        if (Pick(0, 3) == 0) FreezeOrThaw();
        break;
      case 13:
        TimeOutOneConnect();
        break;
      default:
        if (auto* upstream = AnyReady(true)) {
          for (int i = Pick(1, 4); i > 0 && upstream->answerable() > 0; --i) {
            upstream->Answer(AnswerTo(*upstream->oldest()));
          }
        }
        break;
    }
  }

  void Check() {
    const std::size_t limit = static_cast<std::size_t>(world_.pool->settings().connections);
    ASSERT_LE(world_.factory.most_open(), limit);
    std::size_t in_flight = 0;
    for (auto* upstream : world_.Open()) {
      // The last one may have brought its PREPARE and the end of two old statements, and questions
      // to the catalogue and about the replica stood before it.
      ASSERT_LE(upstream->unanswered(),
                static_cast<std::size_t>(world_.pool->settings().pipeline_depth) + 5);
      in_flight += upstream->unanswered();
    }
    const PoolGauges gauges = world_.pool->Gauges();
    ASSERT_EQ(gauges.in_flight, in_flight);
    ASSERT_GE(world_.pool->WorkInUse(), gauges.queued + gauges.in_flight);
    if (world_.pool->Quiet()) {
      ASSERT_EQ(world_.pool->WorkInUse(), 0U);
    }
    CheckThatNobodyWritesTwiceAtOnce();
    for (const auto& client : clients_) ASSERT_LE(client->answers, client->abandoned ? 0 : 1);
    for (std::size_t i = 0; i < world_.pool->hosts().size(); ++i) {
      std::size_t ready = 0;
      for (auto* upstream : world_.factory.OpenTo(i)) {
        ready += upstream->state() == fakes::ScriptedUpstream::State::kReady ? 1 : 0;
      }
      ASSERT_EQ(world_.pool->hosts()[i].ready, ready);
    }
  }

  void CheckThatNobodyWritesTwiceAtOnce() {
    std::set<std::string> running;
    for (auto* upstream : world_.Open()) {
      const auto* oldest = upstream->oldest();
      if (oldest == nullptr || !oldest->sql.starts_with("DELETE")) continue;
      ASSERT_TRUE(running.insert(oldest->sql).second) << oldest->sql;
    }
  }

  void AnswerCalmly() {
    const std::string stamp = "0000000000000001";
    for (auto* upstream : world_.Open()) {
      while (upstream->state() == fakes::ScriptedUpstream::State::kReady &&
             upstream->answerable() > 0) {
        const auto& asked = *upstream->oldest();
        if (AsksLag(asked.sql)) {
          upstream->Answer("7 primary 100 00000003");
          continue;
        }
        const bool question = AsksCatalogue(asked.sql);
        upstream->Answer(!question                  ? "v"
                         : asked.parameters.empty() ? stamp
                                                    : "reads shared " + stamp);
      }
    }
  }

  // The weather clears: nobody is left without an answer, and the pool can look things up again.
  void CalmDown() {
    ask_again_ = false;
    frozen_.clear();
    for (std::size_t i = 0; i < world_.pool->hosts().size(); ++i) {
      world_.factory.SetMood(i, Mood::kAccepts);
    }
    for (int i = 0; i < 200; ++i) {
      world_.Pass(milliseconds(20));
      AnswerCalmly();
    }
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      ASSERT_EQ(clients_[i]->answers, clients_[i]->abandoned ? 0 : 1) << i;
    }
    EXPECT_TRUE(world_.pool->Quiet());
    EXPECT_EQ(world_.pool->WorkInUse(), 0U);
    for (int i = 0; i < 500; ++i) world_.Pass(milliseconds(20));  // retry_interval is over
    for (const auto& table : tables_) {
      const ClientPointer client = world_.Look("after", table);
      for (int i = 0; i < 40 && client->answers == 0; ++i) {
        world_.Pass(milliseconds(20));
        AnswerCalmly();
      }
      EXPECT_EQ(client->value, "v") << client->answers << ' ' << client->reason;
    }
  }

  std::minstd_rand random_;
  PoolWorld world_;
  std::vector<std::shared_ptr<TableBinding>> tables_;
  std::vector<ClientPointer> clients_;
  std::set<std::size_t> frozen_;
  bool ask_again_ = true;
};

TEST(PoolStorm, EveryLookupIsAnsweredOnceAndEveryBoundHolds) {
  const char* const given = std::getenv("PROXYMUX_SEED");
  const std::uint32_t first =
      given != nullptr ? static_cast<std::uint32_t>(std::atoi(given)) : std::random_device{}();
  const char* const wanted_runs = std::getenv("PROXYMUX_STORMS");
  const int runs = given != nullptr ? 1 : (wanted_runs != nullptr ? std::atoi(wanted_runs) : 60);
  for (int run = 0; run < runs && !HasFailure(); ++run) {
    const std::uint32_t seed = (first + static_cast<std::uint32_t>(run)) & 0x7fffffff;
    SCOPED_TRACE("PROXYMUX_SEED=" + std::to_string(seed));
    Storm storm(seed);
    if (seed % 2 == 0) storm.MeasureSimpleIsBetter();
    storm.Run(2000);
  }
  std::printf("seeds from %u\n", first & 0x7fffffff);
}

}  // namespace
}  // namespace proxymux::pgsql
