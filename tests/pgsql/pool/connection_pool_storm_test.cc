// Thousands of random steps: whatever clients, servers and the clock do, the pool keeps its
// promises. The seed is printed; PROXYMUX_SEED=N repeats a run,
// PROXYMUX_STORMS=N is how many there are.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/pool_world.h"
#include "tests/pgsql/pool/storm_world.h"

namespace proxymux::pgsql {
namespace {

using Mood = fakes::ScriptedFactory::Mood;
using std::chrono::milliseconds;

class Storm : public StormWorld {
 public:
  using StormWorld::StormWorld;

  void Run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      Step();
      Check();
    }
    CalmDown();
  }

 private:
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
    if (world_.pool->Idle()) {
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
    EXPECT_TRUE(world_.pool->Idle());
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
