#include "pgsql/host/connect_time.h"

#include <algorithm>
#include <chrono>

namespace proxymux::pgsql {
namespace {

// Below that a time may grow to twice of this at once.
constexpr Duration kQuick = std::chrono::milliseconds(1);

}  // namespace

void ConnectTime::OnConnected(Duration took, bool in_doubt) {
  if (!usual_.has_value() || took <= *usual_) {
    usual_ = took;
  } else if (!in_doubt) {
    usual_ = std::min(took, 2 * std::max(*usual_, kQuick));
  }
}

}  // namespace proxymux::pgsql
