#include "pgsql/policy/result_verdict.h"

#include <charconv>
#include <chrono>
#include <cstddef>
#include <string_view>

#include "pgsql/work/table_binding.h"

namespace proxymux::pgsql {
namespace {

using Next = ResultVerdict::Next;
using Attempt = ResultVerdict::Attempt;
using Lesson = ResultVerdict::Lesson;

// A pooler whose server has crashed says so on one session after the other, and a lock or a lack of
// memory passes: another try on the same host waits for that.
constexpr Duration kPause = std::chrono::milliseconds(200);

// In another form, unless the table has another plan since.
ResultVerdict InAnotherForm(const FailedTry& failed, Lesson lesson) {
  ResultVerdict verdict{.next = Next::kAgain, .attempt = Attempt::kTakenBack};
  if (!failed.plan_is_current) return verdict;
  verdict.lesson = lesson;
  verdict.as_text = lesson == Lesson::kRefused;
  return verdict;
}

// This lookup goes on as text, the next ones prepare again.
ResultVerdict WithoutPreparing(Lesson lesson) {
  return {.next = Next::kAgain, .attempt = Attempt::kTakenBack, .lesson = lesson, .as_text = true};
}

ResultVerdict Cancelled(const FailedTry& failed) {
  // An administrator, or statement_timeout.
  if (!failed.cancel_may_have_hit) return {.next = Next::kRetry};
  // By us. Alone it is the one that took too long. Otherwise it may be a neighbour of that one, or
  // one that was sent when that one had just been answered: it has another try here.
  return {.next = Next::kAgain,
          .attempt = failed.cancel_hits_the_one ? Attempt::kExhausted : Attempt::kCounts,
          .cancelled = true};
}

// The result has rows.
bool Fits(const Work& work, const StatementResult& result) {
  constexpr std::string_view kSelect = "SELECT ";
  const std::string_view tag = result.tag;
  if (work.kind == Work::Kind::kPrepare) return tag.empty() && result.rows->columns() == 0;
  if (tag.empty()) {
    return work.kind == Work::Kind::kLookup &&
           work.binding->table->statement_class().statements == 0;
  }
  if (!tag.starts_with(kSelect) || result.rows->columns() == 0) return true;
  std::size_t rows = 0;
  const char* const end = tag.data() + tag.size();
  const auto parsed = std::from_chars(tag.data() + kSelect.size(), end, rows);
  return parsed.ec == std::errc() && parsed.ptr == end && rows == result.rows->rows();
}

}  // namespace

ErrorStage StageOf(const Work& work) {
  if (work.kind == Work::Kind::kPrepare) return ErrorStage::kPrepare;
  switch (work.form) {
    case StatementForm::kPrepared:
      return ErrorStage::kPrepared;
    case StatementForm::kParameterized:
      return ErrorStage::kParameterized;
    case StatementForm::kText:
      break;
  }
  return ErrorStage::kText;
}

ResultVerdict JudgeLookup(const FailedTry& failed) {
  const Duration pause = failed.untried_host ? Duration::zero() : kPause;
  switch (failed.fault) {
    case Fault::kKey:
    case Fault::kNotPreparable:
      return {.next = Next::kRetry};
    case Fault::kUntyped:
      return InAnotherForm(failed, Lesson::kUntyped);
    case Fault::kStatement:
      // The parameters may be to blame.
      if (failed.form == StatementForm::kParameterized) {
        return InAnotherForm(failed, Lesson::kRefused);
      }
      // A mirror that is being restored may lack the table that the other one has.
      return {.next = failed.untried_host ? Next::kAgain : Next::kConfig,
              .attempt = Attempt::kExhausted,
              .lesson = Lesson::kTextFailed};
    case Fault::kCancelled:
      return Cancelled(failed);
    case Fault::kConflict:
      return {.next = Next::kAgain};
    case Fault::kElsewhere:
      return {.next = Next::kAgain, .pause = pause};
    case Fault::kVanished:
      return WithoutPreparing(Lesson::kVanished);
    case Fault::kStale:
      return WithoutPreparing(Lesson::kRetired);
    case Fault::kConnection:
      return {.next = Next::kAgain, .attempt = Attempt::kLost, .session_stuck = true};
    case Fault::kHostFull:
    case Fault::kHost:
      if (failed.fatal) {
        return {.next = Next::kAgain, .attempt = Attempt::kLost, .host_failed = true};
      }
      return {.next = Next::kAgain, .host_failed = true, .pause = pause};
  }
  return {};
}

ResultVerdict JudgePrepare(const FailedTry& failed) {
  switch (failed.fault) {
    case Fault::kUntyped:
      return {.lesson = failed.plan_is_current ? Lesson::kUntyped : Lesson::kNothing};
    case Fault::kNotPreparable:
    case Fault::kKey:
    case Fault::kStatement:
      return {.lesson = failed.plan_is_current ? Lesson::kRefused : Lesson::kNothing};
    case Fault::kVanished:
    case Fault::kStale:
      return {.lesson = Lesson::kVanished};
    case Fault::kCancelled:
      return {.lesson = Lesson::kPutOff, .cancelled = true};
    case Fault::kConnection:
      return {.session_stuck = true};
    case Fault::kHostFull:
    case Fault::kHost:
      return {.lesson = Lesson::kPutOff, .host_failed = true};
    case Fault::kConflict:
    case Fault::kElsewhere:
      return {.lesson = Lesson::kPutOff};
  }
  return {};
}

StatementResult AsItCounts(const PoolConnection& connection, const Work& work,
                           const StatementResult& result) {
  StatementResult counts;
  if (result.kind == StatementResult::Kind::kRows && !Fits(work, result)) {
    counts.kind = StatementResult::Kind::kError;
    counts.message = "the server's answer does not fit the statement";
    return counts;
  }
  if (connection.phase() == PoolConnection::Phase::kOutdated && !result.fatal &&
      work.kind == Work::Kind::kLookup && !work.needs.may_write && !work.needs.script) {
    counts.kind = StatementResult::Kind::kAborted;
    return counts;
  }
  return result;
}

}  // namespace proxymux::pgsql
