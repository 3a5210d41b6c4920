// Pgpool-II is the only address that the tables name, with one server behind it. It takes sessions
// while its server is away, and ends them with an error; lookups wait for that. Some of its
// processes do nothing for five seconds when their server has gone: what they hold is asked again.
#include <gtest/gtest.h>

#include <string>

#include "tests/drills/outage_drill.h"
#include "tests/harness/pgpool.h"

namespace proxymux::drills {
namespace {

class PgpoolDrill : public OutageDrill {
 protected:
  PgpoolDrill() : pgpool_(world_.NewDirectory(), world_.first().port(), WithProcesses(64)) {
    pgpool_.Start();
  }

  // Stock has a session for each table and process.
  static harness::Pgpool::Options WithProcesses(int processes) {
    harness::Pgpool::Options options;
    options.processes = processes;
    return options;
  }

  void RunBehind(const std::string& name, const Happening& happening) {
    Run(name, pgpool_.port(), kSilentMs, happening, [this] { pgpool_.Start(); });
  }

  harness::Pgpool pgpool_;
};

TEST_F(PgpoolDrill, ItsServerIsRestarted) {
  RunBehind("Pgpool-II: its server restarted (fast)", [this](Drill::Scene&) {
    world_.first().Stop();
    world_.first().Start();
  });
}

// Pgpool-II answers some lookups with an error (XX000) before it ends their sessions, on one after
// the other.
TEST_F(PgpoolDrill, ItsServerCrashes) {
  RunBehind("Pgpool-II: its server restarted (immediate, with crash recovery)",
            [this](Drill::Scene&) {
              world_.first().StopImmediate();
              world_.first().Start();
            });
}

TEST_F(PgpoolDrill, IsRestarted) {
  RunBehind("Pgpool-II restarted", [this](Drill::Scene&) {
    pgpool_.Stop();
    pgpool_.Start();
  });
}

}  // namespace
}  // namespace proxymux::drills
