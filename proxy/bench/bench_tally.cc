#include "proxy/bench/bench_tally.h"

#include <chrono>

namespace proxymux::proxy {

using std::chrono::nanoseconds;

void BenchCounts::Add(const BenchCounts& other) {
  ok += other.ok;
  no_key += other.no_key;
  retry += other.retry;
  config += other.config;
  bad += other.bad;
  deny += other.deny;
  malformed += other.malformed;
  lost += other.lost;
  wrong += other.wrong;
}

void BenchTally::BeginWindow(std::int64_t now) { begin_ = now; }

void BenchTally::EndWindow(std::int64_t now) { end_ = now; }

void BenchTally::Answered(std::uint32_t table, std::int64_t due, std::int64_t now,
                          protocol::Status status, bool wrong) {
  const bool answer = status == protocol::Status::kOk || status == protocol::Status::kNoKey;
  interval_.latencies.Record(nanoseconds(now - due));
  if (!answer || wrong) ++interval_.failed;
  if (now >= begin_ && now < end_) ++answers_in_window_;
  if (!IsMeasured(due)) return;
  last_answer_ = now;
  latencies_.Record(nanoseconds(now - due));
  BenchCounts& counts = tables_[table];
  if (wrong) ++counts.wrong;
  switch (status) {
    case protocol::Status::kOk:
      ++counts.ok;
      break;
    case protocol::Status::kNoKey:
      ++counts.no_key;
      break;
    case protocol::Status::kRetry:
      ++counts.retry;
      break;
    case protocol::Status::kBad:
      ++counts.bad;
      break;
    case protocol::Status::kDeny:
      ++counts.deny;
      break;
    case protocol::Status::kConfig:
      ++counts.config;
      break;
  }
}

void BenchTally::Malformed(std::uint32_t table, std::int64_t due) {
  ++interval_.failed;
  if (IsMeasured(due)) ++tables_[table].malformed;
}

void BenchTally::Lost(std::uint32_t table, std::int64_t due) {
  ++interval_.failed;
  if (IsMeasured(due)) ++tables_[table].lost;
}

void BenchTally::Unsent(std::int64_t due) {
  if (!IsMeasured(due)) return;
  ++unsent_;
  latencies_.Record(nanoseconds(end_ - due));
}

void BenchTally::SentLate(std::int64_t due) {
  if (IsMeasured(due)) ++sent_late_;
}

BenchCounts BenchTally::Counts() const {
  BenchCounts sum;
  for (const BenchCounts& counts : tables_) sum.Add(counts);
  return sum;
}

double BenchTally::AnswersPerSecond() const {
  return end_ > begin_ ? static_cast<double>(answers_in_window_) / WindowSeconds() : 0;
}

double BenchTally::AnswersPerSecondToLast() const {
  if (last_answer_ <= begin_) return 0;
  return static_cast<double>(Counts().Answered()) * 1e9 /
         static_cast<double>(last_answer_ - begin_);
}

void BenchTally::ClearInterval() { interval_ = Interval(); }

}  // namespace proxymux::proxy
