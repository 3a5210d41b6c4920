// The only server is away for a moment: lookups wait for it, and none is lost.
#include "tests/drills/outage_drill.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

namespace proxymux::drills {
namespace {

using harness::PgBouncer;
using harness::seconds;

class ServerOutageDrill : public OutageDrill {
 protected:
  void RunOn(const std::string& name, const Happening& happening) {
    Run(name, world_.first().port(), kAtOnceMs, happening);
  }
  void BringBackTheServer(Drill::Scene& scene) {
    BringBack(scene, [this] { world_.first().Start(); });
  }
  // Something that a crash recovery has to do again.
  void Write() {
    world_.first().Sql(harness::kMailDatabase,
                       "CREATE TABLE IF NOT EXISTS written (number int);"
                       " TRUNCATE written; CHECKPOINT;"
                       " INSERT INTO written SELECT generate_series(1, 300000)");
  }
};

TEST_F(ServerOutageDrill, IsRestarted) {
  RunOn("the only server restarted (fast)", [this](Drill::Scene& scene) {
    world_.first().Stop();
    BringBackTheServer(scene);
  });
  ExpectWaited();
}

TEST_F(ServerOutageDrill, IsRestartedAtOnce) {
  RunOn("the only server restarted (immediate, with crash recovery)", [this](Drill::Scene& scene) {
    Write();
    BeginsNow();
    world_.first().StopImmediate();
    BringBackTheServer(scene);
  });
  ExpectWaited();
}

TEST_F(ServerOutageDrill, IsKilled) {
  RunOn("kill -9 of the only server", [this](Drill::Scene& scene) {
    Write();
    BeginsNow();
    world_.first().Kill();
    BringBackTheServer(scene);
  });
  ExpectWaited();
}

TEST_F(ServerOutageDrill, ItsBackendsAreKilled) {
  RunOn("kill -9 of the only server's backends",
        [this](Drill::Scene&) { world_.first().KillBackends(harness::kMailRole); });
}

TEST_F(ServerOutageDrill, StartsUpForAWhile) {
  RunOn("the only server refuses every session (57P03) for a while", [this](Drill::Scene& scene) {
    world_.first().Stop();
    world_.first().StartRefusing();
    scene.LetRun(seconds(1));
    world_.first().Stop();
    BringBackTheServer(scene);
  });
  ExpectWaited();
}

TEST_F(ServerOutageDrill, StartsAfterPostfix) {
  world_.first().Stop();
  Run(
      "the only server starts 1 s after Postfix", world_.first().port(), kAtOnceMs,
      [this](Drill::Scene& scene) {
        scene.LetRun(seconds(1));
        BringBackTheServer(scene);
      },
      [this] { world_.first().Stop(); }, /*cold=*/true);
  ExpectWaited();
}

class BouncerOutageDrill : public OutageDrill {
 protected:
  // A new PgBouncer opens its sessions one after the other, 40 to 50 ms each, and lets who has one
  // of its own wait for that: the first statements on four connections are answered 5, 55, 100 and
  // 150 ms after they were sent.
  static constexpr double kOpensSessionsMs = 150;

  void RunBehind(const std::string& name, const std::string& pool_mode, double back_ms,
                 const std::function<void(Drill::Scene&, PgBouncer&)>& happening) {
    PgBouncer::Options options;
    options.pool_mode = pool_mode;
    options.settings = {"server_login_retry = 1", "query_wait_timeout = 2"};
    PgBouncer bouncer(world_.NewDirectory(), world_.first(), options);
    bouncer.Start();
    Run(
        name + ", pool_mode " + pool_mode, bouncer.port(), back_ms,
        [&](Drill::Scene& scene) { happening(scene, bouncer); }, [&] { bouncer.Start(); });
  }
};

TEST_F(BouncerOutageDrill, TheServerBehindIsRestarted) {
  for (const char* mode : {"session", "transaction"}) {
    RunBehind("the server behind the only PgBouncer restarted", mode, kOpensSessionsMs + kAtOnceMs,
              [this](Drill::Scene& scene, PgBouncer&) {
                world_.first().Stop();
                BringBack(scene, [this] { world_.first().Start(); });
              });
  }
}

TEST_F(BouncerOutageDrill, IsRestarted) {
  for (const char* mode : {"session", "transaction"}) {
    RunBehind("the only PgBouncer restarted", mode, kOpensSessionsMs + kAtOnceMs,
              [this](Drill::Scene& scene, PgBouncer& bouncer) {
                bouncer.Stop();
                BringBack(scene, [&] { bouncer.Start(); });
              });
  }
}

// It keeps what comes in its own queue.
TEST_F(BouncerOutageDrill, PausesAndResumes) {
  RunBehind("PAUSE and RESUME of the only PgBouncer", "transaction", kAtOnceMs,
            [this](Drill::Scene&, PgBouncer& bouncer) {
              bouncer.Admin("PAUSE");
              world_.first().Stop();
              world_.first().Start();
              bouncer.Admin("RESUME");
            });
}

}  // namespace
}  // namespace proxymux::drills
