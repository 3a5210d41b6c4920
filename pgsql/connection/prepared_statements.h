// Which statements one connection has prepared on its server, and whether that can be relied on.
//
// A statement is taken for prepared from the moment its PREPARE is sent: what follows on the
// connection finds it. It is used for a second: the types of its parameters and what its names mean
// stay as they were when it was prepared, whatever becomes of tables, functions and search_path. It
// is prepared anew then, under another name, and the old one is left over, to be deallocated.
//
// One may stop fitting the database (DDL), and all may vanish (DISCARD ALL, a transaction pooler
// that hands us another server). What vanishes twice within a minute cannot be relied on.
//
// Pure. What one connection has prepared is bounded: see kMost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

class PreparedStatements {
 public:
  // A connection that has so many, counting those left over, is to be replaced.
  static constexpr std::size_t kMost = 1000;

  // Prepared, and not too long ago.
  bool Has(std::uint64_t id, Time now) const;
  // It is prepared now: as `name`, or under another name made from that.
  void Add(std::uint64_t id, const std::string& name, Time now);
  // Of one that was added.
  const std::string& NameOf(std::uint64_t id) const { return statements_.at(id).name; }
  bool full() const { return statements_.size() + left_over_.size() >= kMost; }

  // It was not prepared after all.
  void Forget(std::uint64_t id);
  // It is not to be used any more; the same for all.
  void Retire(std::uint64_t id);
  void RetireAll();
  // A name that is to be deallocated, each once.
  std::optional<std::string> TakeLeftOver();

  // The server does not know the statement `id` that was sent at `sent`: it knows none. True when
  // this is no exception.
  bool OnVanished(std::uint64_t id, Time sent, Time now);

 private:
  struct Statement {
    std::string name;
    Time since;
  };
  struct Age {
    std::uint64_t id;
    Time since;
  };

  void RetireOld(Time now);

  std::unordered_map<std::uint64_t, Statement> statements_;  // by id
  std::deque<Age> ages_;                                     // of what was added, oldest first
  std::vector<std::string> left_over_;
  std::uint32_t round_ = 0;  // part of the names; raised whenever one may be taken
  std::optional<Time> vanished_at_;
};

}  // namespace proxymux::pgsql
