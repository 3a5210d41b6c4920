#include "pgsql/host/replica_state.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <limits>

namespace proxymux::pgsql {
namespace {

// The name of a segment of the log begins with the timeline. A standby has none of its own until
// the first restart point after it was promoted.
// Every name says that it is the catalogue's, whatever the session's search_path is.
constexpr char kQuestion[] = R"sql(SELECT pg_catalog.concat_ws(' ',
  (SELECT system_identifier FROM pg_catalog.pg_control_system()),
  CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.concat_ws(' ', 'standby',
    coalesce(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_replay_lsn(), '0/0'), 0),
    coalesce(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_receive_lsn(), '0/0'), 0),
    CASE WHEN (SELECT pid FROM pg_catalog.pg_stat_get_wal_receiver()) IS NULL
         THEN 'apart' ELSE 'receiving' END,
    coalesce(pg_catalog.floor(1000000 OPERATOR(pg_catalog.*) pg_catalog.date_part('epoch',
      pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)
      pg_catalog.pg_last_xact_replay_timestamp()))::pg_catalog.int8::pg_catalog.text, 'never'))
  ELSE pg_catalog.concat_ws(' ', 'primary',
    pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0'),
    pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8))
  END))sql";

constexpr std::size_t kMostWords = 6;

template <typename Number>
bool Read(std::string_view text, Number* number, int base = 10) {
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, *number, base);
  return error == std::errc{} && rest == end && !text.empty();
}

// Clocks differ: what was committed in the future is new.
std::optional<Duration> AgeOf(std::int64_t microseconds) {
  constexpr std::int64_t kLongest = std::chrono::microseconds(std::chrono::years(100)).count();
  return std::chrono::microseconds(std::clamp<std::int64_t>(microseconds, 0, kLongest));
}

}  // namespace

const std::string& ReplicaStateSql() {
  static const std::string sql = kQuestion;
  return sql;
}

std::optional<ReplicaState> ParseReplicaState(std::string_view text) {
  std::array<std::string_view, kMostWords> words;
  std::size_t count = 0;
  while (true) {
    if (count == kMostWords) return std::nullopt;
    const std::size_t end = text.find(' ');
    words[count++] = text.substr(0, end);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  ReplicaState state;
  std::int64_t system = 0;  // negative for clusters made from 2038 on
  if (count < 2 || !Read(words[0], &system)) return std::nullopt;
  state.system = static_cast<std::uint64_t>(system);
  if (words[1] == "primary") {
    const bool good = count == 4 && Read(words[2], &state.position) &&
                      Read(words[3], &state.timeline, /*base=*/16);
    return good ? std::optional(state) : std::nullopt;
  }
  if (words[1] != "standby" || count != 6 || !Read(words[2], &state.position) ||
      !Read(words[3], &state.received) || (words[4] != "receiving" && words[4] != "apart")) {
    return std::nullopt;
  }
  state.standby = true;
  state.receiving = words[4] == "receiving";
  if (words[5] == "never") return state;
  std::int64_t age = 0;
  if (!Read(words[5], &age)) return std::nullopt;
  state.age = AgeOf(age);
  return state;
}

}  // namespace proxymux::pgsql
