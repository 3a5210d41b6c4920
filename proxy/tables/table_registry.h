// Which tables may be asked for, and the pgsql ones among them as they are served.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "proxy/tables/served_table.h"

namespace proxymux::proxy {

class TableRegistry {
 public:
  // "TYPE:NAME" of every approved table. The pgsql ones are to be added with Add().
  explicit TableRegistry(std::set<std::string, std::less<>> approved)
      : approved_(std::move(approved)) {}

  static bool IsPgsql(std::string_view table) { return table.starts_with("pgsql:"); }

  bool Approved(std::string_view table) const { return approved_.contains(table); }
  const std::set<std::string, std::less<>>& approved() const { return approved_; }

  void Add(std::shared_ptr<ServedTable> table) {
    std::string name = table->name;
    tables_.insert_or_assign(std::move(name), std::move(table));
  }
  // Null for what is not an approved pgsql table.
  std::shared_ptr<ServedTable> Find(std::string_view name) const {
    const auto found = tables_.find(name);
    return found == tables_.end() ? nullptr : found->second;
  }
  const std::map<std::string, std::shared_ptr<ServedTable>, std::less<>>& tables() const {
    return tables_;
  }

 private:
  std::set<std::string, std::less<>> approved_;
  std::map<std::string, std::shared_ptr<ServedTable>, std::less<>> tables_;
};

}  // namespace proxymux::proxy
