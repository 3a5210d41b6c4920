#include "proxy/lookup/lookup_report.h"

#include <fmt/format.h>

#include <chrono>

#include "proxy/text/shown_text.h"

namespace proxymux::proxy {
namespace {

constexpr std::size_t kStatementBytes = 8000;
constexpr std::size_t kValueBytes = 8000;

std::string_view FoldingText(protocol::Folding folding) {
  switch (folding) {
    case protocol::Folding::kNone:
      return "not folded";
    case protocol::Folding::kAscii:
      return "ASCII";
    case protocol::Folding::kUnicode:
      return "Unicode";
  }
  return "";
}

std::string RowText(const std::vector<ShownColumn>& row, std::size_t columns) {
  std::string text;
  for (const ShownColumn& column : row) {
    if (!text.empty()) text += ", ";
    text += column.is_null ? "NULL" : QuotedText(column.text, kShownBytes, column.bytes);
  }
  if (columns > row.size()) text += fmt::format(", and {} more columns", columns - row.size());
  return text;
}

void AppendLine(std::string_view name, std::string_view value, std::string* out) {
  *out += fmt::format("{:<12}{}\n", fmt::format("{}:", name), value);
}

void AppendStatement(const ShownStatement& statement, std::string* out) {
  AppendLine("statement", ShownText(statement.sql, kStatementBytes), out);
  for (std::size_t i = 0; i < statement.parameters.size(); ++i) {
    AppendLine(fmt::format("  ${}", i + 1), QuotedText(statement.parameters[i]), out);
  }
}

void AppendRows(const ShownStatement& statement, std::string* out) {
  AppendLine("rows", fmt::format("{} (columns: {})", statement.rows, statement.columns), out);
  for (std::size_t i = 0; i < statement.first_rows.size(); ++i) {
    AppendLine(fmt::format("  row {}", i + 1), RowText(statement.first_rows[i], statement.columns),
               out);
  }
  if (statement.rows > statement.first_rows.size()) {
    *out += fmt::format("  and {} more rows\n", statement.rows - statement.first_rows.size());
  }
  AppendLine("elements",
             statement.empty == 0 ? fmt::format("{}", statement.elements)
                                  : fmt::format("{}, and {} skipped that are NULL or empty",
                                                statement.elements, statement.empty),
             out);
}

}  // namespace

std::string PlanText(pgsql::StatementForm form, std::string_view text_reason) {
  switch (form) {
    case pgsql::StatementForm::kText:
      return text_reason.empty() ? "text" : fmt::format("text; stays text: {}", text_reason);
    case pgsql::StatementForm::kParameterized:
      return "parameterized";
    case pgsql::StatementForm::kPrepared:
      return "prepared";
  }
  return "";
}

std::string OutcomeText(pgsql::Outcome outcome) {
  switch (outcome) {
    case pgsql::Outcome::kFound:
      return "OK: the value is the answer";
    case pgsql::Outcome::kNotFound:
      return "NOKEY: there is no such key";
    case pgsql::Outcome::kRetry:
      return "RETRY: mail is deferred, and the lookup made again later";
    case pgsql::Outcome::kConfig:
      return "CONFIG: mail is deferred until the table, its query or its data are mended";
  }
  return "";
}

std::string ReportText(const LookupReport& report) {
  std::string out;
  AppendLine("table", report.table, &out);
  AppendLine("settings", report.settings, &out);
  AppendLine("user", report.user, &out);
  AppendLine("key", QuotedText(report.key), &out);
  AppendLine("folded key",
             fmt::format("{} ({})", QuotedText(report.folded_key), FoldingText(report.folding)),
             &out);
  if (!report.domain_tables.empty()) AppendLine("domain", report.domain_tables, &out);
  AppendLine("query", ShownText(report.query, kStatementBytes), &out);
  if (!report.no_query.empty()) {
    AppendLine("not asked", report.no_query, &out);
  } else {
    if (!report.plan.empty()) AppendLine("plan", report.plan, &out);
    if (report.statement.has_value()) AppendStatement(*report.statement, &out);
    AppendLine("pool", report.pool, &out);
    AppendLine("host", report.host.empty() ? "none answered" : report.host, &out);
    if (!report.host.empty()) {
      AppendLine(
          "time",
          fmt::format("{:.1f} ms", std::chrono::duration<double, std::milli>(report.time).count()),
          &out);
    }
    if (report.statement.has_value() && report.statement->has_rows) {
      AppendRows(*report.statement, &out);
    }
  }
  if (report.outcome == pgsql::Outcome::kFound) {
    AppendLine("value", QuotedText(report.value, kValueBytes), &out);
  }
  if (!report.reason.empty() && report.reason != report.no_query)
    AppendLine("reason", ShownText(report.reason, kStatementBytes), &out);
  AppendLine("status", OutcomeText(report.outcome), &out);
  return out;
}

}  // namespace proxymux::proxy
