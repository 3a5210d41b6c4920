// A pool over servers whose catalogue says, when asked, what each table's function does: the common
// ground of the tests of sessions that a table has for itself.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/catalogue_answers.h"
#include "tests/pgsql/pool/pool_world.h"

namespace proxymux::pgsql {

// What a table's function does is known after the first question.
inline std::shared_ptr<TableBinding> Table(const std::string& name) {
  return PoolWorld::Table("SELECT " + name + "(k) FROM t WHERE k = '%s'", WriteClass::kUnknown);
}

class OwnSessionWorld : public testing::Test {
 protected:
  void Open(int connections) {
    world = std::make_unique<PoolWorld>(PoolWorld::Connections(connections));
    world->OpenAll();
  }

  std::string Said(const fakes::ScriptedUpstream::Sent& sent) {
    if (AsksStamp(sent.sql)) return stamp;
    if (!AsksEffects(sent.sql)) return "v";
    const auto& names = sent.parameters[0];
    for (const auto& [name, effects] : said) {
      if (names.find(name) != std::string::npos) return effects;
    }
    return kShared;
  }

  void AnswerOne(fakes::ScriptedUpstream& upstream) { upstream.Answer(Said(*upstream.oldest())); }

  // Answers until nobody waits, and looks at every connection on the way.
  void Finish() {
    for (int i = 0; i < 5000 && !world->pool->Idle(); ++i) {
      CheckSessions();
      for (auto* upstream : world->Open()) {
        if (upstream->answerable() > 0) AnswerOne(*upstream);
      }
      world->Turn();
      if (i % 50 == 49) world->Pass(std::chrono::milliseconds(20));
    }
    EXPECT_TRUE(world->pool->Idle());
  }

  // Behind a statement that changes the session there is nothing but its own table's.
  void CheckSessions() {
    for (auto* upstream : world->Open()) {
      std::string owner;
      for (const std::string& text : upstream->texts()) {
        EXPECT_TRUE(owner.empty() || text.find(owner) != std::string::npos)
            << text << " runs in the session of " << owner;
        for (const auto& [name, effects] : said) {
          if (effects != kOwn || AsksEffects(text) || AsksStamp(text)) continue;
          if (text.find(name + "(") != std::string::npos) owner = name + "(";
        }
      }
    }
  }

  // Everything but the lookup that runs, for 20 ms.
  void AnswerOthers(const ClientPointer& running) {
    for (int i = 0; i < 10; ++i) {
      world->Pass(std::chrono::milliseconds(2));
      for (auto* upstream : world->Open()) {
        const auto* oldest = upstream->answerable() > 0 ? upstream->oldest() : nullptr;
        if (oldest != nullptr && oldest->work != running->ticket) AnswerOne(*upstream);
      }
    }
  }

  std::unique_ptr<PoolWorld> world;
  std::map<std::string, std::string> said;  // by the function's name
  std::string stamp = kStamp;
};

}  // namespace proxymux::pgsql
