#include "tests/harness/deadline.h"

#include <poll.h>

#include <algorithm>

namespace proxymux::harness {

bool Eventually(const std::function<bool()>& condition, milliseconds limit) {
  const Deadline deadline(limit);
  for (int pause = 1;; pause = std::min(pause * 2, 20)) {
    if (condition()) return true;
    if (deadline.Passed()) return false;
    ::poll(nullptr, 0, pause);
  }
}

double SecondsSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

int Deadline::Left() const {
  const auto left = end_ - std::chrono::steady_clock::now();
  if (left <= left.zero()) return 0;
  return static_cast<int>(std::chrono::ceil<milliseconds>(left).count());
}

}  // namespace proxymux::harness
