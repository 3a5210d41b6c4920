// New connections that lead nowhere beside older ones that answer: behind one name there may be a
// server that is full, or one of several that has gone. The older ones go on as before, and new
// ones are tried less and less often.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/pgsql/pool/outage_world.h"

namespace proxymux::pgsql {
namespace {

using Mood = fakes::ScriptedFactory::Mood;
using std::chrono::milliseconds;
using std::chrono::seconds;

class Newcomers : public PoolOutage {
 protected:
  Newcomers() : world_(Two()) {
    world_.OpenAll();
    old_ = world_.Connection(0).number();
    const auto first = Look();
    for (int i = 0; i < 10 && first->answers == 0; ++i) {
      world_.Turn();
      Serve();
    }
    EXPECT_EQ(first->value, "v");
  }

  static PoolWorld::Options Two() {
    PoolWorld::Options options = Options();
    options.settings.connections = 2;
    return options;
  }
  ClientPointer Look() {
    clients_.push_back(world_.Look("k" + std::to_string(clients_.size()), tables_[0]));
    return clients_.back();
  }
  static std::string Said(const std::string& sql) {
    if (AsksStamp(sql)) return kStamp;
    return AsksEffects(sql) ? kShared : "v";
  }
  // The old connection answers one statement; new ones are lost with the first that they get.
  void Serve() {
    for (auto* upstream : world_.Open()) {
      if (upstream->answerable() == 0) continue;
      if (upstream->number() == old_ || all_answer_) {
        upstream->Answer(Said(upstream->oldest()->sql));
      } else {
        upstream->Lose("server login has been failing", "08P01");
      }
    }
    world_.Turn();
  }
  // Lookups of both tables for so long, more than one connection may have.
  void Ask(Duration time) {
    for (Duration passed{}; passed < time; passed += milliseconds(2)) {
      while (world_.pool->Gauges().queued + world_.pool->Gauges().in_flight < 4) {
        std::swap(tables_[0], tables_[1]);
        Look();
        world_.Turn();
      }
      Serve();
      world_.Pass(milliseconds(2));
    }
  }
  void Finish() {
    for (int i = 0; i < 500 && !world_.pool->Idle(); ++i) {
      Serve();
      world_.Pass(milliseconds(2));
    }
    for (const auto& client : clients_) {
      ASSERT_EQ(client->value, "v") << client->reason;
      ASSERT_EQ(client->outages, 0);
    }
  }
  fakes::ScriptedUpstream* Old() {
    for (auto* upstream : world_.Open()) {
      if (upstream->number() == old_) return upstream;
    }
    return nullptr;
  }

  std::shared_ptr<TableBinding> tables_[2] = {
      PoolWorld::Table("SELECT f(k) FROM t WHERE k = '%s'", WriteClass::kUnknown),
      PoolWorld::Table("SELECT g(k) FROM t WHERE k = '%s'", WriteClass::kUnknown)};
  PoolWorld world_;
  int old_ = 0;
  bool all_answer_ = false;  // new ones as well
  std::vector<ClientPointer> clients_;
};

TEST_F(Newcomers, ThatAreLostKeepNobodyFromAskingTheOthersWhatHasChanged) {
  Ask(seconds(1));
  ASSERT_NE(Old(), nullptr);
  const auto stamps = [this] {
    const auto& texts = Old()->texts();
    return std::count_if(texts.begin(), texts.end(), AsksStamp);
  };
  const auto before = stamps();
  Ask(seconds(10));
  ASSERT_NE(Old(), nullptr) << "the only one that answers was closed";
  EXPECT_GE(stamps() - before, 15);
  Finish();
}

TEST_F(Newcomers, ThatAreLostAreTriedLessAndLessOften) {
  Ask(seconds(5));
  const int before = world_.factory.made();
  Ask(seconds(8));
  // Every 800 ms at most, and some sooner.
  EXPECT_LE(world_.factory.made() - before, 14);
  EXPECT_GE(world_.factory.made() - before, 9);
  EXPECT_LE(world_.observer.down.size(), 2U);
  EXPECT_TRUE(world_.observer.up.empty());
  Finish();
}

TEST_F(Newcomers, ThatAreRefusedAreTriedLessAndLessOften) {
  world_.factory.SetMood(0, Mood::kRefuses);
  Ask(seconds(5));
  EXPECT_LE(world_.factory.made(), 16);
  Finish();
}

// It is back: what comes now is answered, and the host is in full use.
TEST_F(Newcomers, ThatAreAnsweredAreUsed) {
  Ask(seconds(5));
  all_answer_ = true;
  Ask(seconds(2));
  EXPECT_EQ(world_.observer.up.size(), 1U);
  EXPECT_EQ(world_.Open().size(), 2U);
  Finish();
}

// Older connections answer all, whatever becomes of new ones: that is no outage.
TEST_F(Newcomers, ThatAreLostMakeNoOutageOfWhatIsAnswered) {
  Ask(seconds(1));
  for (auto* upstream : world_.Open()) upstream->Lose("gone", "57P01");
  world_.factory.SetMood(0, Mood::kRefuses);
  world_.Turn();
  ASSERT_EQ(world_.observer.outages.size(), 1U);
  world_.Pass(milliseconds(100));
  world_.factory.SetMood(0, Mood::kAccepts);
  old_ = world_.factory.made() + 1;
  while (world_.Open().empty()) world_.Pass(milliseconds(10));
  old_ = world_.Connection(0).number();
  world_.Connection(0).Answer(kStamp);
  Ask(seconds(3));
  EXPECT_EQ(world_.observer.outages_over.size(), 1U);
  EXPECT_EQ(world_.observer.outages.size(), 1U);
  for (int i = 0; i < 500 && !world_.pool->Idle(); ++i) {
    Serve();
    world_.Pass(milliseconds(2));
  }
  for (const auto& client : clients_) EXPECT_EQ(client->value, "v") << client->reason;
}

}  // namespace
}  // namespace proxymux::pgsql
