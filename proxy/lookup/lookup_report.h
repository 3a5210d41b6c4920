// The text of `proxymux lookup --explain`: what became of one key, from the table's settings to
// what a Postfix client would be told. Pure.
//
// Keys, rows and values are foreign: they are shown in quotes, bounded, and with every byte escaped
// that could do something to a terminal. Nothing in here knows a password.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pgsql/runtime/event_loop.h"
#include "pgsql/work/work.h"
#include "protocol/dict_flags.h"
#include "proxy/text/shown_text.h"

namespace proxymux::proxy {

// How much is kept and shown of what a server sent.
inline constexpr std::size_t kShownRows = 20;
inline constexpr std::size_t kShownColumns = 20;

// One column of one row as it came.
struct ShownColumn {
  bool is_null = false;
  std::string text;       // the first kShownBytes
  std::size_t bytes = 0;  // in all
};

// What the server was asked, and what it said before result_format.
struct ShownStatement {
  std::string sql;
  std::vector<std::string> parameters;  // of $1, $2, ...; none when the values stand in `sql`
  bool has_rows = false;                // false: an error came back
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t elements = 0;                          // that result_format made
  std::size_t empty = 0;                             // columns that are NULL or empty: skipped
  std::vector<std::vector<ShownColumn>> first_rows;  // at most kShownRows by kShownColumns
};

struct LookupReport {
  std::string table;
  std::string settings;  // where they come from
  std::string user;      // whose rights the lookup has
  std::string key;
  protocol::Folding folding = protocol::Folding::kNone;
  std::string folded_key;
  std::string domain_tables;  // what tables of the domain list said; empty: none was asked
  std::string no_query;       // why the server was not asked; empty when it was to be
  std::string query;          // the table's template
  std::string pool;
  std::string plan;  // see PlanText(); empty when no server answered
  std::optional<ShownStatement> statement;
  std::string host;  // empty: no server answered
  pgsql::Duration time{};

  pgsql::Outcome outcome = pgsql::Outcome::kRetry;
  std::string value;
  std::string reason;  // as in pgsql::Answer
};

// How the key got into the statement. `text_reason`: why not with parameters; may be empty.
std::string PlanText(pgsql::StatementForm form, std::string_view text_reason);

// What a Postfix client is told, and what comes of it.
std::string OutcomeText(pgsql::Outcome outcome);

// One `name: value` line for each, and more below some of them; ends with a line break.
std::string ReportText(const LookupReport& report);

}  // namespace proxymux::proxy
