// What the drills on the two mirrors of the mail schema share.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/drills/drill.h"
#include "tests/harness/proxymap_client.h"
#include "tests/integration/mail_world.h"

namespace proxymux::drills {

using integration::kConnectionLimit;
using integration::MailWorld;

inline constexpr int kClients = 100;

// The targets, in milliseconds: what is noticed at once, what only its silence shows (stall_limit
// is 1 s), and until what is there again is used.
inline constexpr double kAtOnceMs = 250;
inline constexpr double kSilentMs = 1500;
inline constexpr double kBackMs = 1000;

// Milliseconds since `begin`.
inline double Since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

class MailDrill : public testing::Test {
 protected:
  ~MailDrill() override { world_.Mend(); }

  DrillOptions Options(const std::string& name, int clients, const std::string& yaml = "") {
    DrillOptions options;
    options.name = name;
    options.clients = clients;
    options.postfix = world_.Options(harness::Service::kInPlace);
    options.postfix.yaml = yaml;
    options.ports = {world_.first().port(), world_.second().port()};
    return options;
  }
  Drill Make(const DrillOptions& options) {
    return Drill(
        options, [this] { return world_.NewDirectory(); }, [this] { world_.Mend(); });
  }
  Drill Make(const std::string& name, int clients, const std::string& yaml = "") {
    return Make(Options(name, clients, yaml));
  }

  // No lookup lost or longer under way than that, and no connection too many.
  static void ExpectKept(const Drill& drill, const harness::LoadReport& report, double longest_ms,
                         int connections = kConnectionLimit) {
    EXPECT_EQ(report.Failed(), 0U) << report.Text() << '\n' << drill.log();
    EXPECT_LT(report.max_ms, drill.Allowed(longest_ms)) << report.Text() << '\n' << drill.log();
    EXPECT_LE(drill.most_connections(), connections) << drill.log();
    EXPECT_GT(drill.most_connections(), 0) << "connections are not seen";
  }

  // A session of the service is there that was asked for rows. The mirror must not be frozen.
  static bool InUse(harness::PostgresCluster& mirror) {
    return mirror.Sql("postgres", "SELECT count(*) FROM pg_stat_activity WHERE usename = '" +
                                      std::string(harness::kMailRole) +
                                      "' AND query ILIKE '% from %'") != "0";
  }

  MailWorld& world_ = MailWorld::Instance();
};

}  // namespace proxymux::drills
