// A name server of a test's own: DNS over UDP on port 53 of 127.0.0.1, which is free in a network
// of the test's own (EnterOwnNetwork). It knows IPv4 addresses of the names that it was told, says
// that others do not exist, and can be as bad as real ones: slow, silent, failing.
//
// A thread of its own does the work. Errors throw std::runtime_error.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "tests/harness/deadline.h"

namespace proxymux::harness {

class NameServer {
 public:
  enum class Manner {
    kAnswers,
    kSilent,
    kFails,  // SERVFAIL
  };

  NameServer();
  ~NameServer();
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  void SetAddress(const std::string& name, const std::string& address);
  // Answers leave `delay` after their question came; those on their way are not changed.
  void SetManner(Manner manner, milliseconds delay = milliseconds(0));
  // For addresses, heard so far.
  std::uint64_t questions() const { return questions_; }

 private:
  void Run();
  // What is to be sent back; empty: nothing.
  std::string AnswerTo(const std::string& question);

  int socket_ = -1;
  int stop_ = -1;  // readable when the thread is to end
  std::mutex mutex_;
  std::map<std::string, std::string> addresses_;  // four bytes each
  Manner manner_ = Manner::kAnswers;
  milliseconds delay_{0};
  std::atomic<std::uint64_t> questions_ = 0;
  std::thread thread_;
};

}  // namespace proxymux::harness
