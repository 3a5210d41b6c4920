#include "proxy/log/log.h"

#include <fmt/format.h>
#include <poll.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <syslog.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <utility>

#include "proxy/log/datagram_sender.h"

namespace proxymux::proxy {
namespace {

constexpr std::size_t kMaxText = 2000;  // as Postfix cuts what goes to syslog
constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct FacilityName {
  std::string_view name;
  int number;
};

constexpr FacilityName kFacilities[] = {
    {"auth", LOG_AUTH},     {"authpriv", LOG_AUTHPRIV}, {"cron", LOG_CRON},
    {"daemon", LOG_DAEMON}, {"ftp", LOG_FTP},           {"kern", LOG_KERN},
    {"lpr", LOG_LPR},       {"mail", LOG_MAIL},         {"news", LOG_NEWS},
    {"security", LOG_AUTH}, {"syslog", LOG_SYSLOG},     {"user", LOG_USER},
    {"uucp", LOG_UUCP},     {"local0", LOG_LOCAL0},     {"local1", LOG_LOCAL1},
    {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3},     {"local4", LOG_LOCAL4},
    {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6},     {"local7", LOG_LOCAL7},
};

int SyslogPriority(LogSeverity severity) {
  switch (severity) {
    case LogSeverity::kDebug:  // as Postfix: what -v adds is not hidden behind syslog's own debug
                               // level
    case LogSeverity::kInfo:
      return LOG_INFO;
    case LogSeverity::kWarning:
      return LOG_WARNING;
    case LogSeverity::kError:
      return LOG_ERR;
    case LogSeverity::kFatal:
    case LogSeverity::kPanic:
      return LOG_CRIT;
  }
  return LOG_INFO;
}

spdlog::level::level_enum ToSpdlog(LogSeverity severity) {
  switch (severity) {
    case LogSeverity::kDebug:
      return spdlog::level::trace;
    case LogSeverity::kInfo:
      return spdlog::level::info;
    case LogSeverity::kWarning:
      return spdlog::level::warn;
    case LogSeverity::kError:
      return spdlog::level::err;
    case LogSeverity::kFatal:
      return spdlog::level::critical;
    case LogSeverity::kPanic:
      return spdlog::level::off;  // the highest of spdlog's; as a message's level it is only a
                                  // number
  }
  return spdlog::level::info;
}

LogSeverity FromSpdlog(spdlog::level::level_enum level) {
  if (level <= spdlog::level::debug) return LogSeverity::kDebug;
  if (level == spdlog::level::info) return LogSeverity::kInfo;
  if (level == spdlog::level::warn) return LogSeverity::kWarning;
  if (level == spdlog::level::err) return LogSeverity::kError;
  if (level == spdlog::level::critical) return LogSeverity::kFatal;
  return LogSeverity::kPanic;
}

std::tm LocalTime(spdlog::log_clock::time_point when) {
  const std::time_t seconds = spdlog::log_clock::to_time_t(when);
  std::tm broken_down{};
  localtime_r(&seconds, &broken_down);
  return broken_down;
}

// A pipe that poll(2) calls writable takes PIPE_BUF bytes without blocking, and a line is shorter.
// Standard error is shared with other processes, so it is not made non-blocking.
bool WriteToStderr(std::string_view line) {
  pollfd descriptor{STDERR_FILENO, POLLOUT, 0};
  if (poll(&descriptor, 1, 0) != 1 || (descriptor.revents & POLLOUT) == 0) return false;
  return write(STDERR_FILENO, line.data(), line.size()) == static_cast<ssize_t>(line.size());
}

// Writes lines: datagrams of syslog and postlog, or to standard error. base_sink's mutex guards the
// members.
class LineSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit LineSink(LogTarget target) : target_(std::move(target)), syslog_(target_.syslog_socket) {
    if (target_.sink == LogSink::kPostlog) postlog_.emplace(target_.postlog_socket);
  }

  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string_view text(message.payload.data(), message.payload.size());
    if (unreported_ > 0) {
      const std::string notice =
          fmt::format("{}{} log lines were lost because nobody read them in time",
                      SeverityPrefix(LogSeverity::kWarning), unreported_);
      if (!Deliver(LogSeverity::kWarning, message.time, notice)) {
        Drop();
        return;
      }
      unreported_ = 0;
    }
    if (!Deliver(FromSpdlog(message.level), message.time, text)) Drop();
  }

  void flush_() override {}

 private:
  bool Deliver(LogSeverity severity, spdlog::log_clock::time_point when, std::string_view text) {
    if (target_.sink == LogSink::kStderr) {
      return WriteToStderr(fmt::format("{}: {}\n", target_.tag, text));
    }
    const std::tm time = LocalTime(when);
    const pid_t pid = getpid();
    if (postlog_) {
      const std::string line = fmt::format(
          "{} {:02} {:02}:{:02}:{:02} {} {}[{}]: {}", kMonths[time.tm_mon], time.tm_mday,
          time.tm_hour, time.tm_min, time.tm_sec, target_.host, target_.tag, pid, text);
      switch (postlog_->Send(line)) {
        case DatagramSender::Delivery::kSent:
          return true;
        case DatagramSender::Delivery::kFull:
          return false;
        case DatagramSender::Delivery::kNobody:
          break;
      }
    }
    // As syslog(3) writes it: the day with a leading blank, no host.
    const std::string line =
        fmt::format("<{}>{} {:2} {:02}:{:02}:{:02} {}[{}]: {}",
                    target_.facility | SyslogPriority(severity), kMonths[time.tm_mon], time.tm_mday,
                    time.tm_hour, time.tm_min, time.tm_sec, target_.tag, pid, text);
    return syslog_.Send(line) == DatagramSender::Delivery::kSent;
  }

  void Drop() {
    ++unreported_;
    dropped_.fetch_add(1, std::memory_order_relaxed);
  }

  LogTarget target_;
  DatagramSender syslog_;
  std::optional<DatagramSender> postlog_;
  std::uint64_t unreported_ = 0;
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace

std::string_view SeverityPrefix(LogSeverity severity) {
  switch (severity) {
    case LogSeverity::kDebug:
    case LogSeverity::kInfo:
      return "";
    case LogSeverity::kWarning:
      return "warning: ";
    case LogSeverity::kError:
      return "error: ";
    case LogSeverity::kFatal:
      return "fatal: ";
    case LogSeverity::kPanic:
      return "panic: ";
  }
  return "";
}

std::optional<int> SyslogFacility(std::string_view name) {
  for (const FacilityName& facility : kFacilities) {
    if (facility.name == name) return facility.number;
  }
  return std::nullopt;
}

std::string_view FirstLabel(std::string_view host_name) {
  return host_name.substr(0, host_name.find('.'));
}

LogTarget EarlyTarget(std::string_view mail_logtag, std::string_view process_name,
                      std::string_view postlog_service, std::string_view postlog_hostname) {
  LogTarget target;
  target.tag = fmt::format("{}/{}", mail_logtag.empty() ? "postfix" : mail_logtag, process_name);
  if (!postlog_service.empty()) {
    target.sink = LogSink::kPostlog;
    target.postlog_socket = fmt::format("public/{}", postlog_service);
    target.host = FirstLabel(postlog_hostname);
  }
  return target;
}

std::string LoggableText(std::string_view text) {
  std::string loggable(text.substr(0, kMaxText));
  for (char& c : loggable) {
    if (c < ' ' || c > '~') c = '?';  // char is signed here: bytes from 0x80 on are below ' '
  }
  return loggable;
}

class Logger::Output {
 public:
  explicit Output(LogTarget target)
      : sink_(std::make_shared<LineSink>(std::move(target))), logger_("", sink_) {
    logger_.set_level(spdlog::level::trace);  // the threshold is ours
  }

  void Write(LogSeverity severity, std::string_view text) {
    const std::string line = fmt::format("{}{}", SeverityPrefix(severity), LoggableText(text));
    logger_.log(spdlog::source_loc{}, ToSpdlog(severity), line);
  }

  std::uint64_t dropped() const { return sink_->dropped(); }

 private:
  std::shared_ptr<LineSink> sink_;
  spdlog::logger logger_;
};

Logger::Logger(LogTarget target, LogSeverity threshold)
    : threshold_(threshold), output_(std::make_unique<Output>(std::move(target))) {
  SetThreshold(threshold);
}

Logger::~Logger() = default;

void Logger::Retarget(LogTarget target) {
  auto next = std::make_unique<Output>(std::move(target));
  const std::lock_guard lock(mutex_);
  dropped_before_ += output_->dropped();
  output_ = std::move(next);
}

void Logger::SetThreshold(LogSeverity threshold) {
  threshold_.store(threshold > LogSeverity::kWarning ? LogSeverity::kWarning : threshold,
                   std::memory_order_relaxed);
}

void Logger::Log(LogSeverity severity, std::string_view text) {
  if (!Enabled(severity)) return;
  const std::lock_guard lock(mutex_);
  output_->Write(severity, text);
}

std::uint64_t Logger::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_before_ + output_->dropped();
}

}  // namespace proxymux::proxy
