// The log of the process: one line per call, to the place where Postfix's own daemons write.
//
// Sinks. kSyslog: datagrams to the system's log socket, "<PRI>Mon dd hh:mm:ss tag[pid]: text".
// kPostlog: datagrams to postlogd(8), "Mon DD HH:MM:SS host tag[pid]: text" (day with a leading
// zero), used when main.cf sets maillog_file; when nobody listens there the line goes to syslog
// instead. kStderr: "tag: text", for the command line and the foreground. Text above info begins
// with "warning: ", "error: ", "fatal: " or "panic: ", as Postfix's log readers expect.
//
// No call ever blocks: a line that a full socket does not take is dropped and counted, and the next
// line that gets through is preceded by a warning with the count. Control characters and bytes
// outside ASCII are written as '?', and the text (without its prefix) is cut at 2000 bytes. Nothing
// here ends the process: Fatal() and Panic() only log.
//
// A Logger works from its construction on, before any configuration was read (see EarlyTarget), and
// may be pointed elsewhere at any time. All members may be called from any thread. Passwords and
// keys are the caller's to keep out.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace proxymux::proxy {

// In order: a threshold admits itself and everything after it.
enum class LogSeverity { kDebug, kInfo, kWarning, kError, kFatal, kPanic };

// "warning: " and so on; empty for kDebug and kInfo.
std::string_view SeverityPrefix(LogSeverity severity);

enum class LogSink { kSyslog, kPostlog, kStderr };

struct LogTarget {
  LogSink sink = LogSink::kSyslog;
  std::string tag = "postfix/proxymux";
  int facility = 2 << 3;                   // LOG_MAIL; see SyslogFacility()
  std::string syslog_socket = "/dev/log";  // also the way out when postlog is not there
  std::string postlog_socket =
      "public/postlog";  // relative: from the queue directory, our working directory
  std::string host;      // for postlog lines: see FirstLabel()
};

// The number of a facility name that main.cf's syslog_facility may hold ("mail", "local0", ...);
// none when unknown.
std::optional<int> SyslogFacility(std::string_view name);

// What stands before the first dot of a host name.
std::string_view FirstLabel(std::string_view host_name);

// The target before main.cf was read. `mail_logtag` is the environment's MAIL_LOGTAG (empty: not
// set). Master has set POSTLOG_SERVICE when lines go to postlogd (empty: syslog), and
// POSTLOG_HOSTNAME then too.
LogTarget EarlyTarget(std::string_view mail_logtag, std::string_view process_name,
                      std::string_view postlog_service, std::string_view postlog_hostname);

// The text as it is logged: unprintable bytes replaced by '?', cut at 2000 bytes.
std::string LoggableText(std::string_view text);

class Logger {
 public:
  explicit Logger(LogTarget target, LogSeverity threshold = LogSeverity::kInfo);
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  // The next line goes there. Lines dropped so far stay counted.
  void Retarget(LogTarget target);

  // `-v` is SetThreshold(LogSeverity::kDebug). Warnings and what is worse cannot be switched off.
  void SetThreshold(LogSeverity threshold);
  bool Enabled(LogSeverity severity) const {
    return severity >= threshold_.load(std::memory_order_relaxed);
  }

  void Log(LogSeverity severity, std::string_view text);
  void Debug(std::string_view text) { Log(LogSeverity::kDebug, text); }
  void Info(std::string_view text) { Log(LogSeverity::kInfo, text); }
  void Warning(std::string_view text) { Log(LogSeverity::kWarning, text); }
  void Error(std::string_view text) { Log(LogSeverity::kError, text); }
  void Fatal(std::string_view text) { Log(LogSeverity::kFatal, text); }

  // Lines that no sink took since the start.
  std::uint64_t dropped() const;

 private:
  class Output;  // the spdlog sinks

  std::atomic<LogSeverity> threshold_;
  mutable std::mutex mutex_;
  std::unique_ptr<Output> output_;    // guarded by mutex_
  std::uint64_t dropped_before_ = 0;  // by outputs that were replaced
};

}  // namespace proxymux::proxy
