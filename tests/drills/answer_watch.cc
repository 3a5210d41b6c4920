#include "tests/drills/answer_watch.h"

#include <poll.h>

#include <cstdlib>

#include "protocol/reply.h"
#include "tests/harness/deadline.h"

namespace proxymux::drills {
namespace {

constexpr char kFile[] = "server.cf";
constexpr harness::seconds kLongest{300};
constexpr int kPauseMs = 5;  // between two lookups

}  // namespace

harness::TableFile AnswerWatch::Table(const std::string& hosts) {
  return {kFile, harness::TableText(hosts, "SELECT inet_server_port() WHERE '%s' <> ''")};
}

AnswerWatch::AnswerWatch(const harness::PostfixInstance& postfix)
    : postfix_(postfix), client_(postfix.SocketPath()), thread_([this] { Watch(); }) {}

AnswerWatch::~AnswerWatch() {
  if (thread_.joinable()) Finish();
}

const std::vector<AnswerWatch::Seen>& AnswerWatch::Finish() {
  ends_ = true;
  thread_.join();
  return seen_;
}

void AnswerWatch::Watch() {
  while (!ends_) {
    Seen seen{std::chrono::steady_clock::now(), 0};
    // Each key once: no answer is another lookup's.
    const harness::Answer answer =
        client_.Lookup(postfix_.Table(kFile), "key" + std::to_string(seen_.size()),
                       harness::kPostmapFlags, kLongest);
    if (answer.Is(protocol::Status::kOk)) seen.port = std::atoi(answer.value.c_str());
    seen_.push_back(seen);
    ::poll(nullptr, 0, kPauseMs);
  }
}

}  // namespace proxymux::drills
