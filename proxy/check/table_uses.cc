#include "proxy/check/table_uses.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "config/postfix/used_tables.h"

namespace proxymux::proxy {
namespace {

using config::TableUse;

constexpr std::string_view kPgsql = "pgsql:";

// The lists of what may be asked, and what may be written: they use nothing.
constexpr std::array<std::string_view, 2> kApprovals = {"proxy_read_maps", "proxy_write_maps"};
// What proxy_write_maps has by default.
constexpr std::array<std::string_view, 4> kWritten = {
    "address_verify_map", "lmtp_sasl_auth_cache_name", "postscreen_cache_map",
    "smtp_sasl_auth_cache_name"};
constexpr std::array<std::string_view, 2> kNeverProxied = {"virtual_gid_maps", "virtual_uid_maps"};

bool IsOneOf(std::string_view name, const auto& names) {
  return std::ranges::find(names, name) != names.end();
}

// A table that is written in place may hold a password.
std::string Shown(const std::string& table) {
  const std::size_t brace = table.find('{');
  return brace == std::string::npos ? table : table.substr(0, brace) + "{...}";
}

std::string Who(const NamedValue& value) {
  if (value.is_default) return value.name + " by default";
  return value.service.empty() ? value.name : value.name + " of the service " + value.service;
}

class UseCheck {
 public:
  UseCheck(const TableApprovals& approvals, Findings* findings)
      : approvals_(approvals), findings_(findings) {}

  void Check(const NamedValue& value) {
    if (IsOneOf(value.name, kApprovals) || IsOneOf(value.name, kNeverProxied)) return;
    for (const TableUse& use : config::UsedTables(value.value)) {
      switch (use.way) {
        case TableUse::Way::kDirect:
          Direct(value, use.table);
          break;
        case TableUse::Way::kProxied:
          Proxied(value, use.table);
          break;
        case TableUse::Way::kWithinProxy:
          WithinProxy(value, use.table);
          break;
      }
    }
  }

 private:
  void Direct(const NamedValue& value, const std::string& table) {
    if (!table.starts_with(kPgsql) || value.is_default) return;
    findings_->Warning(value.file, value.line,
                       Who(value) + " names " + table +
                           " without proxy: each process opens it with a connection of its own",
                       "write proxy:" + table);
  }

  void Proxied(const NamedValue& value, const std::string& table) {
    const bool is_new = seen_.insert(table).second;
    if (value.is_default && !is_new) return;
    const bool written = IsOneOf(value.name, kWritten);
    if ((written ? approvals_.write : approvals_.read).Contains(table)) return;
    const std::string list(written ? kApprovals[1] : kApprovals[0]);
    const std::string text = Who(value) + " names proxy:" + Shown(table) + ", which " + list +
                             " does not approve: every lookup is refused";
    if (value.is_default) {
      findings_->Warning(value.file, 0, text, "add $" + value.name + " to " + list);
    } else {
      findings_->Error(value.file, value.line, text,
                       "add " + (value.service.empty()
                                     ? "$" + value.name + " to " + list
                                     : "proxy:" + Shown(table) + " to " + list + " in main.cf"));
    }
  }

  void WithinProxy(const NamedValue& value, const std::string& table) {
    if (!table.starts_with(kPgsql) || value.is_default) return;
    findings_->Warning(value.file, value.line,
                       Who(value) + " names " + table +
                           " within a table behind proxy: a stock proxymap answers it, with "
                           "connections of its own",
                       "put proxy: before this table, in the place of the one around it");
  }

  const TableApprovals& approvals_;
  Findings* const findings_;
  std::set<std::string> seen_;  // behind proxy:
};

}  // namespace

void CheckTableUses(const std::vector<NamedValue>& values, const TableApprovals& approvals,
                    Findings* findings) {
  UseCheck check(approvals, findings);
  for (const NamedValue& value : values) check.Check(value);
}

}  // namespace proxymux::proxy
