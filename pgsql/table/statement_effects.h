// What running a table's statement may do to others, as the server's catalogue tells it: whether it
// writes, and whether it may share a session and a transaction with the statements of other tables.
//
// A function that is not built in may change the session (set_config(), temporary tables, SET ROLE,
// locks), and may be reached through views, policies, operators, casts and the types of columns. So
// the question follows the names in the statement through pg_proc, pg_rewrite and pg_policy, into
// the bodies of SQL and PL/pgSQL functions, word by word. A function changes the session when
//   - it is built in, volatile, and not one of a few that are known to leave nothing behind,
//   - it is of another language, and not of an extension that is known to leave nothing behind,
//   - its body has a word that begins such a command, or text in which words cannot be told.
// A SET clause of the function is no proof: an ordinary SET in its body outlives it (manual, CREATE
// FUNCTION). Where the catalogue cannot tell, the answer is the safe one.
//
// The stamp stands for all that these answers are taken from. As long as it stays, they hold.
//
// Pure.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pgsql/runtime/event_loop.h"
#include "pgsql/sql/statement_class.h"

namespace proxymux::pgsql {

// With whom a statement may share a connection.
enum class SessionUse : std::uint8_t {
  kShared,          // with every other statement like it, in one batch
  kOwnTransaction,  // in a batch of its own: it reads a table with row security
  kOwnSession,      // with its own table's statements only: it may change the session
};

struct StatementEffects {
  bool may_write = true;
  SessionUse session = SessionUse::kOwnSession;
  std::uint64_t stamp = 0;
  std::string because;  // what the session's use is for: "function f(text)"; empty when shared
};

// The server_version_num of the first release that can be asked.
inline constexpr int kEffectsFrom = 130000;

// Takes the three values of EffectsQuestion(); gives one text, for ParseEffects().
const std::string& EffectsSql();
// Gives one text, for ParseStamp().
const std::string& StampSql();

// Array literals: the names called as functions, those that may be functions in attribute notation,
// and all names in the statement, which may be relations.
std::array<std::string, 3> EffectsQuestion(const StatementClass& statement);
std::optional<StatementEffects> ParseEffects(std::string_view text);
std::optional<std::uint64_t> ParseStamp(std::string_view text);

// How long one host's stamp may be relied on.
class CatalogueWatch {
 public:
  // What the catalogue said about a statement holds for so long after a stamp was asked for.
  static constexpr Duration kTrusted = std::chrono::seconds(1);

  bool ShouldAsk(Time now) const;
  void OnAsked(Time now);
  // The stamp as it was at `asked` or later. True when it is another one than before.
  bool OnAnswered(Time asked, std::uint64_t stamp);
  // The catalogue counts as what OnAnswered() was last told: that stamp was asked for within
  // kTrusted, or the next one was asked for before kTrusted was over and is still waited for (for
  // 5 s at most).
  bool Fresh(Time now) const;
  // The latest answer was this stamp.
  bool Says(std::uint64_t stamp) const { return answered_.has_value() && stamp == stamp_; }

 private:
  std::uint64_t stamp_ = 0;
  std::optional<Time> answered_;  // when the latest answer was asked for
  std::optional<Time> last_asked_;
  std::optional<Time> waiting_since_;  // when the first question without an answer was asked
};

}  // namespace proxymux::pgsql
