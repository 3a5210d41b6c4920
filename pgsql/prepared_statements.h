// Which statements one connection has prepared on its server, and whether that can be relied on.
//
// A statement is taken for prepared from the moment its PREPARE is sent: what follows on the
// connection finds it. One may stop fitting the database (DDL), and all may vanish (DISCARD ALL, a
// transaction pooler that hands us another server): they are then prepared again, under other
// names, since nothing is ever deallocated. What vanishes twice within a minute cannot be relied
// on.
//
// Pure. What one connection may prepare is bounded: see kMost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "pgsql/event_loop.h"

namespace proxymux::pgsql {

class PreparedStatements {
 public:
  // A connection that has prepared so many, counting those forgotten, is to be replaced.
  static constexpr std::size_t kMost = 1000;

  bool Has(std::uint64_t id) const { return rounds_.contains(id); }
  void Add(std::uint64_t id);
  void Forget(std::uint64_t id);
  bool full() const { return ever_ >= kMost; }

  // What the statement `id` is called here: `name`, or another name written to *scratch.
  const std::string& NameOf(std::uint64_t id, const std::string& name, std::string* scratch) const;

  // The server does not know the statement `id` that was sent at `sent`: it knows none. True when
  // this is no exception.
  bool OnVanished(std::uint64_t id, Time sent, Time now);

 private:
  std::unordered_map<std::uint64_t, std::uint32_t> rounds_;  // by id: part of the name
  std::size_t ever_ = 0;
  std::uint32_t round_ = 0;  // raised whenever a name may be taken
  std::optional<Time> vanished_at_;
};

}  // namespace proxymux::pgsql
