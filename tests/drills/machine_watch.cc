#include "tests/drills/machine_watch.h"

#include <chrono>

namespace proxymux::drills {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kEvery(5);
constexpr double kUsualMs = 50;

}  // namespace

MachineWatch::~MachineWatch() {
  ends_ = true;
  thread_.join();
}

void MachineWatch::Watch() {
  while (!ends_) {
    const Clock::time_point due = Clock::now() + kEvery;
    std::this_thread::sleep_until(due);
    const double late = std::chrono::duration<double, std::milli>(Clock::now() - due).count();
    if (late > kUsualMs) away_ms_ = away_ms_ + late;
  }
}

}  // namespace proxymux::drills
