// What a connection finds out about its session with one statement of its own, in front of a batch
// and in the same pipeline: nobody waits for it.
//
// First, whether a pooler stands between: the process that was named for cancel requests is then
// not the process that answers. Until that is known, and when it cannot be known, a pooler is
// assumed; once two different processes were seen there is a pooler.
//
// Second, whether transactions are SERIALIZABLE, so that reads too may fail at their end.
//
// Third, whether the session is outdated: what ALTER ROLE ... SET and ALTER DATABASE ... SET have
// set counts for new sessions only. This is asked about once a second; the answer has the numbers
// of the transactions that made these settings, not the settings.
//
// A server that refuses the question is asked a smaller one, and then none. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/values/server_config.h"
#include "pgsql/connection/upstream_connection.h"
#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

class SessionCheck {
 public:
  explicit SessionCheck(config::Pooler pooler) : pooler_(pooler) {}

  // `process` is what the server named for cancel requests.
  void OnConnected(int process);

  // The next batch is to begin with the question.
  bool Due(Time now) const;
  const char* sql() const;
  void OnSent(Time now);
  // Never kAborted, since the check stands in front of its batch. False when `result` is no answer
  // to the question.
  bool OnAnswer(const StatementResult& result);

  bool pooled() const;
  bool serializable() const { return serializable_; }
  bool outdated() const { return outdated_; }

 private:
  enum class Question { kAll, kProcess, kNone };
  enum class Process { kUnknown, kSame, kAnother };

  const config::Pooler pooler_;
  int named_process_ = 0;
  Process process_ = Process::kUnknown;
  Question question_ = Question::kAll;
  std::optional<Time> sent_;
  bool under_way_ = false;
  bool serializable_ = false;
  bool outdated_ = false;
  std::optional<std::string> settings_;  // as they were when the session was first asked
};

}  // namespace proxymux::pgsql
