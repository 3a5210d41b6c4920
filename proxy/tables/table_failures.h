// Whether a table answers at all: how many of its last lookups failed without one that was
// answered between; and why the latest did, and when, whatever came after.
//
// A table is failing from the fifth failure in a row on, until a server answers one lookup. Lookups
// that say nothing about the table are not counted here: those that needed no server, and those
// that failed because every host is down.
//
// The error is for status and health, where no key may show. A server's message may quote the key:
// when the two have a word in common, only the SQLSTATE is kept, and the log has the rest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pgsql/runtime/event_loop.h"
#include "pgsql/work/work.h"

namespace proxymux::proxy {

class TableFailures {
 public:
  static constexpr std::uint64_t kFailing = 5;

  void OnAnswered() { in_a_row_ = 0; }
  // `error` holds nothing of the key.
  void OnFailed(std::string error, pgsql::RealTime now);
  void OnFailed(const pgsql::Answer& answer, pgsql::RealTime now);

  bool failing() const { return in_a_row_ >= kFailing; }
  std::uint64_t in_a_row() const { return in_a_row_; }
  const std::string& error() const { return error_; }  // empty: none failed yet
  std::optional<pgsql::RealTime> failed_at() const { return failed_at_; }

 private:
  std::uint64_t in_a_row_ = 0;
  std::string error_;
  std::optional<pgsql::RealTime> failed_at_;
};

// The reason of a failed lookup, or less of it.
std::string ErrorWithoutKey(const pgsql::Answer& answer);

}  // namespace proxymux::proxy
