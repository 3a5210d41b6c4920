// The books of a run: what became of each lookup, and how long it took.
//
// A lookup belongs to the measurement when it was *due* inside the window, from BeginWindow() to
// EndWindow(): in the closed loop that is when it was sent, in the open loop when the schedule
// wanted it sent. Its latency runs from there to the answer. Lookups due in the window that were
// not sent when it ended enter the histogram with the time that they had waited by then, which is
// less than they would have taken: leaving them out would flatter a service that is too slow.
//
// Times are nanoseconds of any one clock.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "pgsql/runtime/latency_histogram.h"
#include "protocol/reply.h"

namespace proxymux::proxy {

// How lookups ended. Each is counted in one of these, but for `wrong`, which says how many of `ok`
// and `no_key` were not what they should be.
struct BenchCounts {
  std::uint64_t ok = 0, no_key = 0, retry = 0, config = 0, bad = 0, deny = 0;
  std::uint64_t malformed = 0;  // no reply in form
  std::uint64_t lost = 0;       // read by the service, never answered
  std::uint64_t wrong = 0;

  std::uint64_t Answered() const { return ok + no_key + retry + config + bad + deny; }
  std::uint64_t Lookups() const { return Answered() + malformed + lost; }
  // Everything but right answers.
  std::uint64_t Failed() const { return Lookups() - ok - no_key + wrong; }
  void Add(const BenchCounts& other);
};

class BenchTally {
 public:
  explicit BenchTally(std::size_t tables) : tables_(tables) {}

  void BeginWindow(std::int64_t now);
  void EndWindow(std::int64_t now);
  bool IsMeasured(std::int64_t due) const { return due >= begin_ && due < end_; }

  void Answered(std::uint32_t table, std::int64_t due, std::int64_t now, protocol::Status status,
                bool wrong);
  void Malformed(std::uint32_t table, std::int64_t due);
  void Lost(std::uint32_t table, std::int64_t due);
  void Unsent(std::int64_t due);    // after EndWindow()
  void SentLate(std::int64_t due);  // more than a moment after it was due

  const std::vector<BenchCounts>& tables() const { return tables_; }
  BenchCounts Counts() const;
  const pgsql::FineLatencyHistogram& latencies() const { return latencies_; }
  std::uint64_t unsent() const { return unsent_; }
  std::uint64_t sent_late() const { return sent_late_; }

  double WindowSeconds() const { return static_cast<double>(end_ - begin_) / 1e9; }
  // Answers that came inside the window, to whatever lookup, by its length.
  double AnswersPerSecond() const;
  // The same for a run of a fixed number of lookups: from the window's begin to the last answer.
  double AnswersPerSecondToLast() const;

  // What came in since the last TakeInterval(), the warm-up too: for progress lines.
  struct Interval {
    pgsql::FineLatencyHistogram latencies;
    std::uint64_t failed = 0;
  };
  const Interval& interval() const { return interval_; }
  void ClearInterval();

 private:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  std::int64_t begin_ = kNever;
  std::int64_t end_ = kNever;
  std::int64_t last_answer_ = 0;
  std::uint64_t answers_in_window_ = 0;
  std::vector<BenchCounts> tables_;
  pgsql::FineLatencyHistogram latencies_;
  std::uint64_t unsent_ = 0, sent_late_ = 0;
  Interval interval_;
};

}  // namespace proxymux::proxy
