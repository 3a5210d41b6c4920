// How long things take in a drill, and how long it takes until a mirror that is back is used.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "tests/harness/deadline.h"
#include "tests/harness/postgres_cluster.h"

namespace proxymux::drills {

class Stopwatch {
 public:
  int Milliseconds() const {
    const auto elapsed = std::chrono::steady_clock::now() - start_;
    return static_cast<int>(std::chrono::duration_cast<harness::milliseconds>(elapsed).count());
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Milliseconds from before `bring_back` until the mirror was asked something on a connection that
// was opened since; those of `limit` when that does not happen.
int MillisecondsUntilUsed(harness::PostgresCluster& mirror, const std::function<void()>& bring_back,
                          harness::milliseconds limit);

}  // namespace proxymux::drills
