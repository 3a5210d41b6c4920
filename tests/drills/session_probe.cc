#include "tests/drills/session_probe.h"

#include <poll.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include "tests/harness/mail_schema.h"
#include "tests/harness/postgres_user.h"

namespace proxymux::drills {
namespace {

// Between two attempts, and between two looks at the load.
void Pause() { ::poll(nullptr, 0, 1); }

}  // namespace

SessionProbe::SessionProbe(int port, const harness::LoadClients& load, harness::milliseconds limit)
    : port_(port),
      load_(load),
      limit_(limit),
      milliseconds_(static_cast<double>(limit.count())),
      thread_([this] { Watch(); }) {}

SessionProbe::~SessionProbe() {
  ends_ = true;
  if (thread_.joinable()) thread_.join();
}

double SessionProbe::MillisecondsToAnswer() {
  thread_.join();
  return milliseconds_;
}

void SessionProbe::Watch() {
  const std::string conninfo = "host=127.0.0.1 port=" + std::to_string(port_) +
                               " user=" + harness::kMailRole + " password='" +
                               harness::kMailPassword + "' dbname=" + harness::kMailDatabase +
                               " connect_timeout=2";
  const auto takes_session = [&] {
    try {
      harness::RunSql(conninfo, "SELECT 1");
      return true;
    } catch (const std::runtime_error&) {
      return false;
    }
  };
  while (!takes_session() && !limit_.Passed() && !ends_) Pause();
  first_session_ = std::chrono::steady_clock::now();
  const std::uint64_t answered = load_.answered();
  while (load_.answered() == answered && !limit_.Passed() && !ends_) Pause();
  if (load_.answered() != answered) milliseconds_ = 1000 * harness::SecondsSince(first_session_);
}

}  // namespace proxymux::drills
