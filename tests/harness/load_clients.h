// Many clients of a proxymap service at once, each with one lookup on its way at a time, every
// answer checked.
//
// Like Postfix's own clients they reconnect when a connection ends; unlike these they tell whether
// a request was lost: a UNIX server that closes after reading a request ends the connection, one
// that has not read it resets it (no loss: the client asks again). A thread of its own does the
// work.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "protocol/dialect.h"
#include "tests/harness/deadline.h"
#include "tests/harness/installed_postfix.h"
#include "tests/harness/latency_log.h"

namespace proxymux::harness {

struct LoadOptions {
  std::string socket;
  std::string config_directory;     // where the table files are
  std::vector<std::string> tables;  // names as in mail_schema; client i asks tables[i % size]
  int clients = 200;
  int users = 1000;  // rows behind the tables: keys are taken from 1 to users
  protocol::Dialect dialect = TheInstalledPostfix().dialect;
  std::uint32_t seed = 1;
};

// The percentiles are of all answers, from request to answer.
struct LoadReport : LatencyLog::Percentiles {
  std::uint64_t answered = 0;  // OK with the right value
  std::uint64_t wrong = 0;     // OK with another value, or no such key
  std::string first_wrong;     // table, key and answer of the first of these
  std::uint64_t retry = 0;
  std::uint64_t config = 0;
  std::uint64_t fatal = 0;   // BAD, DENY, or no reply at all in form
  std::uint64_t lost = 0;    // read by the server, never answered
  std::uint64_t unread = 0;  // not read by a server that closed: asked again
  std::uint64_t connects = 0;
  int connected = 0;  // clients that have a connection at the end
  double elapsed_seconds = 0;
  double longest_silence_ms = 0;  // between two answers to anybody

  std::uint64_t Failed() const { return wrong + retry + config + fatal + lost; }
  std::string Text() const;  // name=value words on one line
};

class LoadClients {
 public:
  explicit LoadClients(LoadOptions options);  // starts
  ~LoadClients();

  // The answers of the second that begins then, not before now, have a percentile of their own. One
  // that is told before has to be over.
  void WatchSecondFrom(std::chrono::steady_clock::time_point begin) {
    watched_from_ = begin.time_since_epoch().count();
  }

  // No new requests; waits for the answers on their way, at most `limit`; what is missing then
  // counts as lost.
  LoadReport Finish(milliseconds limit = seconds(30));

  // Just now.
  std::uint64_t answered() const { return answered_; }
  std::uint64_t failed() const { return failed_; }
  int connected() const { return connected_; }
  // Waits until `more` further lookups were answered.
  bool WaitForAnswers(std::uint64_t more, milliseconds limit = seconds(120)) const;
  // Waits until every lookup that is on its way now has been answered.
  bool WaitForThoseOnTheWay(milliseconds limit = seconds(120)) const;

 private:
  struct Client;
  class Engine;

  LoadOptions options_;
  std::atomic<bool> finish_ = false;
  std::atomic<std::chrono::steady_clock::rep> watched_from_ = 0;     // 0: none
  std::atomic<std::chrono::steady_clock::rep> all_answered_of_ = 0;  // what was asked before then
  std::atomic<std::uint64_t> answered_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
  std::atomic<int> connected_ = 0;
  milliseconds finish_limit_{0};
  LoadReport report_;
  std::thread thread_;
};

}  // namespace proxymux::harness
