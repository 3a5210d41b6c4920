// Keeps one kind of message from flooding the log: per key, the first `burst` messages of a window
// are logged, the rest of that window is counted, and the first message after it carries the count.
// Pure: time comes in as `now`.
//
//   auto admission = limiter.Admit("table pgsql:/etc/postfix/x.cf is broken", now);
//   if (admission.log) logger.Warning(text + admission.Suffix());
//
// The key says what "such messages" are, and is best a constant with at most the name of a table or
// host in it. Memory is bounded: beyond `max_keys` the key that was silent longest is forgotten,
// and its count with it (see forgotten()). TakeSummaries() gives the counts of keys whose window is
// over and that nobody mentioned since: call it now and then.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace proxymux::proxy {

class RepeatLimiter {
 public:
  using Clock = std::chrono::steady_clock;

  struct Options {
    std::chrono::seconds window{60};
    std::uint32_t burst = 3;
    std::size_t max_keys = 1000;
  };

  struct Admission {
    bool log = false;
    std::uint64_t suppressed = 0;  // in the window before, when this message opens a new one
    std::chrono::seconds span{0};  // the time since that window began

    // "" or " (12 more such messages suppressed in the last 60 s)".
    std::string Suffix() const;
  };

  struct Summary {
    std::string key;
    std::uint64_t suppressed = 0;
    std::chrono::seconds span{0};

    // "12 more such messages suppressed in the last 60 s: KEY".
    std::string Text() const;
  };

  RepeatLimiter() : RepeatLimiter(Options{}) {}
  explicit RepeatLimiter(Options options) : options_(options) {}

  Admission Admit(std::string_view key, Clock::time_point now);
  std::vector<Summary> TakeSummaries(Clock::time_point now);

  std::size_t size() const { return entries_.size(); }
  std::uint64_t suppressed() const { return suppressed_; }  // messages, since the start
  std::uint64_t forgotten() const { return forgotten_; }    // of these, never reported in a summary

 private:
  struct Entry {
    std::string key;
    Clock::time_point window_start;
    std::uint32_t logged = 0;
    std::uint64_t suppressed = 0;
  };
  using Entries = std::list<Entry>;  // the one mentioned last is in front

  void Forget(Entries::iterator entry);

  Options options_;
  Entries entries_;
  std::unordered_map<std::string_view, Entries::iterator> by_key_;  // views into Entry::key
  std::uint64_t suppressed_ = 0;
  std::uint64_t forgotten_ = 0;
};

}  // namespace proxymux::proxy
