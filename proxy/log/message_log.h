// The log with its repetitions held back: what a busy server would otherwise write thousands of
// times a second is written a few times a minute with a count.
//
// `kind` says what "such messages" are: a constant, with at most the name of a table or host in it.
#pragma once

#include <string>
#include <string_view>

#include "pgsql/runtime/event_loop.h"
#include "proxy/log/log.h"
#include "proxy/log/repeat_limiter.h"

namespace proxymux::proxy {

class MessageLog {
 public:
  MessageLog(Logger* logger, const pgsql::EventLoop* loop) : logger_(logger), loop_(loop) {}

  Logger& logger() { return *logger_; }

  void Info(std::string_view text) { logger_->Info(text); }
  void Warning(std::string_view text) { logger_->Warning(text); }
  void Limited(Severity severity, std::string_view kind, std::string_view text) {
    if (!logger_->Enabled(severity)) return;
    const RepeatLimiter::Admission admission = limiter_.Admit(kind, loop_->Now());
    if (admission.log) logger_->Log(severity, std::string(text) + admission.Suffix());
  }
  void LimitedWarning(std::string_view kind, std::string_view text) {
    Limited(Severity::kWarning, kind, text);
  }

  // Writes the counts of messages that were held back and have not come again. Call now and then.
  void WriteSummaries() {
    for (const RepeatLimiter::Summary& summary : limiter_.TakeSummaries(loop_->Now())) {
      logger_->Warning(summary.Text());
    }
  }

 private:
  Logger* const logger_;
  const pgsql::EventLoop* const loop_;
  RepeatLimiter limiter_;
};

}  // namespace proxymux::proxy
