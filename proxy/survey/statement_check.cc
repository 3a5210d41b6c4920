#include "proxy/survey/statement_check.h"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "pgsql/sql/trial_statement.h"
#include "pgsql/table/statement_effects.h"
#include "pgsql/table/statement_plan.h"
#include "pgsql/work/table_binding.h"
#include "proxy/survey/query_plan.h"
#include "proxy/survey/relation_size.h"
#include "proxy/survey/server_fault.h"

namespace proxymux::proxy {
namespace {

using config::Severity;
using pgsql::PgInquiry;
using pgsql::StatementForm;
using pgsql::TrialStatement;
using Fault = PgInquiry::Fault;

// Reading more rows than this for each lookup is worth an index; so many bytes hold about as many.
constexpr long long kManyRows = 10000;
constexpr long long kManyBytes = 1 << 20;

constexpr std::string_view kUnknownType = "42P18";
constexpr std::string_view kSyntaxError = "42601";

constexpr int kFirstWithJit = 110000;
constexpr int kFirstWithPlanCacheMode = 120000;

// What is only looked at must not write, and must not take long.
std::string Begin(int server_version) {
  std::string commands =
      "BEGIN READ ONLY; SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '2s'";
  if (server_version >= kFirstWithJit) commands += "; SET LOCAL jit = off";
  if (server_version >= kFirstWithPlanCacheMode) {
    commands += "; SET LOCAL plan_cache_mode = force_generic_plan";
  }
  return commands;
}

// Two digits of it, so that servers that hold the same say the same.
std::string About(long long count) {
  long long unit = 1;
  while (count / unit >= 100) unit *= 10;
  return "about " + std::to_string(count / unit * unit);
}

class StatementCheck {
 public:
  StatementCheck(const CheckedTable& table, const pgsql::ServerFacts& facts, PgInquiry* server)
      : table_(table),
        query_(table.loaded.binding->table->query()),
        plan_(table.loaded.binding->plan),
        facts_(facts),
        server_(server) {}

  std::vector<config::Diagnostic> Run() {
    if (table_.loaded.binding->IsScript()) {
      Say(Severity::kNote, 0,
          "query: no server is asked about it: it has several statements, or changes its session");
      return std::move(said_);
    }
    if (const auto fault = server_->Run(Begin(facts_.version_number))) {
      TellUnchecked(*fault);
    } else if (Taken()) {
      CheckScans();
      CheckEffects();
      CheckWrites();
    }
    server_->Run("ROLLBACK");
    return std::move(said_);
  }

 private:
  // Whether the server takes the query as the service would send it: with parameters, and where it
  // does not take these, as text. A finding when not.
  bool Taken() {
    std::optional<Fault> bound_fault;
    while (plan_.form({}) != StatementForm::kText) {
      trial_.emplace(query_, plan_.bound());
      bound_fault = Try(plan_.types());
      if (!bound_fault.has_value()) return true;
      if (bound_fault->sqlstate != kUnknownType) break;
      plan_.OnUntyped(bound_fault->message);  // has another type for it, or is text then
    }
    trial_.emplace(query_);
    const std::optional<Fault> fault = Try();
    if (!fault.has_value()) {
      TellText(bound_fault);
      return true;
    }
    switch (KindOf(fault->sqlstate)) {
      case FaultKind::kMistake:
        // A name with a key in it may be right.
        if (fault->position.has_value() && trial_->DependsOnKey(*fault->position)) {
          Say(Severity::kNote, 0,
              "query: what it asks for depends on the key: no server can tell "
              "beforehand whether it is right");
        } else {
          Tell(*fault);
        }
        break;
      case FaultKind::kData:
        Say(Severity::kNote, 0,
            "query: whether it is right cannot be told without a key: " + fault->message);
        break;
      case FaultKind::kPassing:
        TellUnchecked(*fault);
        break;
    }
    return false;
  }

  std::optional<Fault> Try(std::span<const std::uint32_t> types = {}) {
    if (auto fault = server_->Run("SAVEPOINT trial")) return fault;
    std::optional<Fault> fault = server_->Prepare("", trial_->sql(), types);
    if (fault.has_value()) server_->Run("ROLLBACK TO trial");
    return fault;
  }

  void Say(Severity severity, std::size_t at, std::string text, std::string hint = {}) {
    said_.push_back(
        {table_.file(), table_.LineOf("query", at), 0, severity, std::move(text), std::move(hint)});
  }

  void Tell(const Fault& fault) {
    const std::size_t at = fault.position.has_value() ? trial_->InTemplate(*fault.position) : 0;
    Say(Severity::kError, at, "query: " + fault.message + " (SQLSTATE " + fault.sqlstate + ")",
        AdviceFor(fault));
  }

  // Why parameters are not used. That statement_mode asks for them in vain is told with the file,
  // and whoever wrote `legacy` knows.
  void TellText(const std::optional<Fault>& bound_fault) {
    const bool refused =
        bound_fault.has_value() && KindOf(bound_fault->sqlstate) == FaultKind::kMistake;
    if (!refused && !plan_.is_automatic()) return;
    const std::string& why = refused ? bound_fault->message : plan_.text_reason();
    if (!why.empty()) Say(Severity::kNote, 0, "query: it is sent as text: " + why);
  }

  void TellUnchecked(const Fault& fault) {
    if (server_->lost()) return;  // told by whoever asks it
    Say(Severity::kWarning, 0, "query: it could not be looked at: " + fault.message,
        "run this again");
  }

  // One without a value of the sample in it.
  bool HasGenericPlan() const {
    return trial_->parameters() > 0 && facts_.version_number >= kFirstWithPlanCacheMode;
  }

  // As SQL, so that EXPLAIN can name the statement, also behind a pooler. ROLLBACK does not take a
  // prepared statement back.
  PgInquiry::Answer Explain() {
    const std::string explain = "EXPLAIN (FORMAT JSON, VERBOSE) ";
    if (!HasGenericPlan()) return server_->Ask(explain + TrialStatement(query_).sql());
    std::string types, values;
    for (const std::uint32_t type : plan_.types()) {
      types += std::string(types.empty() ? "" : ", ") + (type == 0 ? "unknown" : "text");
      values += values.empty() ? "NULL" : ", NULL";
    }
    if (auto fault = server_->Run("PREPARE proxymux_check (" + types + ") AS " + trial_->sql())) {
      return *std::move(fault);
    }
    PgInquiry::Answer answer = server_->Ask(explain + "EXECUTE proxymux_check (" + values + ")");
    server_->Run("ROLLBACK TO plan; DEALLOCATE proxymux_check");
    return answer;
  }

  void CheckScans() {
    if (server_->Run("SAVEPOINT plan").has_value()) return;
    const PgInquiry::Answer answer = Explain();
    server_->Run("ROLLBACK TO plan");
    if (const auto* fault = std::get_if<Fault>(&answer)) {
      if (fault->sqlstate == kSyntaxError) return;  // it is right, but none that EXPLAIN takes
      // What fails without a value of the sample fails for every key.
      const FaultKind kind = KindOf(fault->sqlstate);
      const bool is_certain =
          kind == FaultKind::kMistake || (kind == FaultKind::kData && HasGenericPlan());
      if (is_certain) {
        Tell({fault->sqlstate, fault->message, fault->hint, std::nullopt});
      } else if (kind == FaultKind::kPassing) {
        TellUnchecked(*fault);
      }
      return;
    }
    for (const PgInquiry::Row& row : std::get<0>(answer)) {
      if (row.empty() || !row[0].has_value()) continue;
      for (const SequentialScan& scan : SequentialScans(*row[0])) CheckScan(scan);
    }
  }

  void CheckScan(const SequentialScan& scan) {
    const RelationSize size = SizeOf(scan.schema, scan.name, server_);
    const std::string relation = scan.Relation();
    if (size.rows <= 0 && size.bytes > kManyBytes) {
      Say(Severity::kWarning, 0,
          "query: each lookup reads all of " + relation +
              " (a sequential scan), which was never "
              "analyzed and has " +
              About(size.bytes >> 20) + " MiB",
          "ANALYZE " + relation);
      return;
    }
    if (size.rows <= kManyRows) return;
    const std::string column = IndexedBy(scan);
    std::string hint = "CREATE INDEX ON " + relation + " (" + column + ")";
    if (column.empty()) {
      hint = scan.condition.empty() ? "every row of it is wanted: write a condition"
                                    : "an index that serves " + scan.condition + " would help";
    }
    Say(Severity::kWarning, 0,
        "query: each lookup reads all of " + relation + ", " + About(size.rows) +
            " rows (a sequential scan)",
        hint);
  }

  void CheckEffects() {
    if (facts_.version_number < pgsql::kEffectsFrom) return;
    const auto names = pgsql::EffectsQuestion(table_.loaded.binding->table->statement_class());
    const std::array<const char*, 3> values = {names[0].c_str(), names[1].c_str(),
                                               names[2].c_str()};
    const PgInquiry::Answer answer = server_->Ask(pgsql::EffectsSql(), values);
    if (const auto* fault = std::get_if<Fault>(&answer)) return TellUnchecked(*fault);
    const auto& rows = std::get<0>(answer);
    if (rows.size() != 1 || !rows.front()[0].has_value()) return;
    const auto effects = pgsql::ParseEffects(*rows.front()[0]);
    if (!effects.has_value()) return;
    switch (effects->session) {
      case pgsql::SessionUse::kShared:
        break;
      case pgsql::SessionUse::kOwnTransaction:
        Say(Severity::kNote, 0,
            "query: each lookup runs in a transaction of its own, because of " + effects->because);
        break;
      case pgsql::SessionUse::kOwnSession:
        Say(Severity::kWarning, 0,
            "query: it may change the session (" + effects->because +
                "), and gets connections that no other table shares",
            "see migration.md, \"Queries that call functions\"");
        return;  // what does that may write, too
    }
    if (effects->may_write && table_.loaded.binding->write_class != pgsql::WriteClass::kMayWrite) {
      Say(Severity::kWarning, 0,
          "query: it calls a volatile function, which may write: equal lookups are not joined, and "
          "none is asked of two hosts",
          "if the function is yours and only reads, declare it STABLE (ALTER FUNCTION)");
    }
  }

  void CheckWrites() {
    if (!facts_.standby || table_.loaded.binding->write_class != pgsql::WriteClass::kMayWrite) {
      return;
    }
    Say(Severity::kWarning, 0,
        "query: it may write, and a standby is among its hosts: lookups that write fail there "
        "(SQLSTATE 25006)",
        "name the primary only, or set target_session_attrs: primary for the pool");
  }

  const CheckedTable& table_;
  const pgsql::QueryTemplate& query_;
  pgsql::StatementPlan plan_;
  const pgsql::ServerFacts& facts_;
  PgInquiry* const server_;
  std::optional<TrialStatement> trial_;  // the one that was tried last
  std::vector<config::Diagnostic> said_;
};

}  // namespace

std::vector<config::Diagnostic> CheckStatement(const CheckedTable& table,
                                               const pgsql::ServerFacts& facts,
                                               pgsql::PgInquiry* server) {
  return StatementCheck(table, facts, server).Run();
}

}  // namespace proxymux::proxy
