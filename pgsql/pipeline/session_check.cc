#include "pgsql/pipeline/session_check.h"

#include <charconv>
#include <chrono>
#include <utility>

namespace proxymux::pgsql {
namespace {

constexpr Duration kInterval = std::chrono::seconds(1);

// No process of a server has a higher number: proc(5), pid_max. Other systems have lower ones.
constexpr int kLargestPid = 1 << 22;

// One row of three columns: there are poolers that answer a bare pg_backend_pid() themselves. By
// its index, or with enable_seqscan = off the planner takes it for something that is worth
// compiling.
constexpr char kAll[] =
    "SELECT pg_catalog.pg_backend_pid(), pg_catalog.current_setting('transaction_isolation'),"
    " (SELECT pg_catalog.string_agg(s.xmin::pg_catalog.text, ' ' ORDER BY s.setdatabase, s.setrole)"
    " FROM pg_catalog.pg_db_role_setting s WHERE s.setdatabase = ANY (ARRAY[0,"
    " (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = "
    "pg_catalog.current_database())])"
    " AND s.setrole = ANY (ARRAY[0,"
    " pg_catalog.to_regrole(pg_catalog.quote_ident(SESSION_USER))::pg_catalog.oid]))";
constexpr char kProcess[] =
    "SELECT pg_catalog.pg_backend_pid(), pg_catalog.current_setting('transaction_isolation'), ''";

}  // namespace

void SessionCheck::OnConnected(int process) {
  named_process_ = process;
  // PgBouncer and others make it up, of 32 random bits.
  if (process <= 0 || process > kLargestPid) process_ = Process::kAnother;
}

bool SessionCheck::Due(Time now) const {
  return question_ != Question::kNone && !under_way_ &&
         (!sent_.has_value() || now - *sent_ >= kInterval);
}

const char* SessionCheck::sql() const {
  switch (question_) {
    case Question::kAll:
      return kAll;
    case Question::kProcess:
    case Question::kNone:
      break;
  }
  return kProcess;
}

void SessionCheck::OnSent(Time now) {
  sent_ = now;
  under_way_ = true;
}

bool SessionCheck::OnAnswer(const StatementResult& result) {
  under_way_ = false;
  if (result.kind != StatementResult::Kind::kRows) {
    question_ = question_ == Question::kAll ? Question::kProcess : Question::kNone;
    sent_.reset();
    return true;
  }
  const RowSource& rows = *result.rows;
  if (rows.rows() != 1 || rows.columns() != 3) return false;
  const std::string_view text = rows.Value(0, 0);
  int process = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), process);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return false;
  if (process != named_process_) {
    process_ = Process::kAnother;
  } else if (process_ == Process::kUnknown) {
    process_ = Process::kSame;
  }
  serializable_ = serializable_ || rows.Value(0, 1) == "serializable";
  std::string settings(rows.Value(0, 2));
  if (!settings_.has_value()) {
    settings_ = std::move(settings);
  } else if (*settings_ != settings && question_ == Question::kAll) {
    outdated_ = true;
    question_ = Question::kNone;
  }
  return true;
}

bool SessionCheck::pooled() const {
  switch (pooler_) {
    case config::Pooler::kAuto:
      return process_ != Process::kSame;
    case config::Pooler::kYes:
      return true;
    case config::Pooler::kNo:
      return false;
  }
  return true;
}

}  // namespace proxymux::pgsql
