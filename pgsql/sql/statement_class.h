// What can be told from a query's text about what running it may do: how many statements it holds,
// whether it only reads, and which names it holds, so that the server's catalogue can be asked what
// is behind them (statement_effects.h).
//
// Errs towards "may write". Does not see functions behind operators, casts, views and triggers: the
// catalogue tells of those.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "pgsql/sql/sql_lexer.h"

namespace proxymux::pgsql {

struct StatementClass {
  std::size_t statements = 0;  // empty ones, trailing semicolons and comments do not count
  // Every statement is a SELECT, VALUES, TABLE or WITH that changes nothing, stores nothing and
  // takes no row locks.
  bool plain_read = false;
  // Set when the text alone says that the query may write: it is no plain read, or what it calls
  // cannot be known.
  bool may_write = true;
  // The text alone says that the query may leave something behind in the session that statements of
  // other tables would meet: SET, BEGIN, a temporary table, a session lock, ... Its connection is
  // closed behind it.
  bool changes_session = false;
  // Sorted, each once, as pg_proc.proname has them: folded unless quoted, without a schema. Long
  // ones are whole: where a name is cut depends on the database's encoding, and the server cuts
  // what it is asked for (the type `name`) where it cut the function's.
  std::vector<std::string> called_names;  // followed by '('
  std::vector<std::string>
      attribute_names;             // behind a '.': may be a function of one composite argument
  std::vector<std::string> names;  // all there are, keywords too: may be relations

  friend bool operator==(const StatementClass&, const StatementClass&) = default;
};

// Statements between semicolons that hold anything but comments.
std::size_t CountStatements(std::string_view text, const std::vector<Token>& tokens);

// `tokens` are those of LexSql(text), with or without comments. `open_placeholders`: a placeholder
// stands where its value decides what the statement does (QueryTemplate::has_open_placeholder).
StatementClass ClassifyStatement(std::string_view text, const std::vector<Token>& tokens,
                                 bool open_placeholders);

}  // namespace proxymux::pgsql
