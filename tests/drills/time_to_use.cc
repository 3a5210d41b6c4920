#include "tests/drills/time_to_use.h"

#include "tests/harness/mail_schema.h"

namespace proxymux::drills {

int MillisecondsUntilUsed(harness::PostgresCluster& mirror, const std::function<void()>& bring_back,
                          harness::milliseconds limit) {
  // By the server's own clock, since that is what it writes down; one that is not there yet has no
  // connections of before.
  const std::string before =
      mirror.Running() ? mirror.Sql("postgres", "SELECT clock_timestamp()") : "-infinity";
  const Stopwatch since;
  bring_back();
  const std::string used = "SELECT count(*) FROM pg_stat_activity WHERE usename = '" +
                           std::string(harness::kMailRole) + "' AND backend_start > '" + before +
                           "' AND query <> ''";
  const bool seen = harness::Eventually([&] { return mirror.Sql("postgres", used) != "0"; }, limit);
  return seen ? since.Milliseconds() : static_cast<int>(limit.count());
}

}  // namespace proxymux::drills
