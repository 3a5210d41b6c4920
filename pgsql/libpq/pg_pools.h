// All connection pools of the process: tables with the same hosts (in any order), user, password,
// database, encoding and connection options share one.
//
// A pool lives while a table refers to it or work is outstanding in it; Sweep() ends the others.
// The settings of a pool are found by its display name, `user@host1,host2/dbname`, as logs and
// status show it (the user part only when the table names one).
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "config/values/server_config.h"
#include "config/values/table_config.h"
#include "pgsql/libpq/pg_conninfo.h"
#include "pgsql/pool/connection_pool.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/table/host_spec.h"

namespace proxymux::pgsql {

class PgPools {
 public:
  using PoolPointer = std::shared_ptr<ConnectionPool>;
  // The settings for a pool of that name, or why it must not be used.
  using SettingsFor =
      std::function<std::variant<config::PoolSettings, std::string>(const std::string& name)>;

  PgPools(EventLoop* loop, PoolObserver* observer) : loop_(loop), observer_(observer) {}

  // The pool for a table, made when there is none yet; or an error text for the log, without
  // secrets.
  std::variant<PoolPointer, std::string> PoolFor(const config::TableConfig& table,
                                                 const std::vector<HostSpec>& hosts,
                                                 std::size_t max_value,
                                                 const SettingsFor& settings_for);

  // Gives every pool the settings that now go with its name. Those that change a connection itself
  // (sslmode and the like) make another pool when their tables are loaded again.
  void UpdateSettings(const SettingsFor& settings_for);

  // The hosts that the administrator has taken out of use, by their labels (PoolHost): all others
  // are put back. Also in pools that are made later.
  void SetDisabledHosts(std::set<std::string, std::less<>> labels);

  // Ends the pools that no table refers to and that are idle. Not from inside a pool's callback.
  void Sweep();

  std::vector<PoolPointer> All() const;

 private:
  struct Entry;

  std::string UniqueName(const std::string& name) const;
  void ApplyDisabledHosts(ConnectionPool* pool) const;

  EventLoop* const loop_;
  PoolObserver* const observer_;
  std::set<std::string, std::less<>> disabled_hosts_;
  std::map<std::string, std::shared_ptr<Entry>>
      entries_;  // by everything that tells pools apart, secrets included
};

// The libpq that all of them run with, which need not be the one that the program was built with:
// "15.13" (libpq, PQlibVersion).
std::string LibpqVersion();

}  // namespace proxymux::pgsql
