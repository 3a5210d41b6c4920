// Whether the tables that main.cf and master.cf name can be asked of proxymap(8) as they are meant
// to: those of pgsql without `proxy:`, those behind it that proxy_read_maps does not approve, and
// those that a stock process would open. Pure.
//
// Two kinds of settings are ruled by others: what is written to goes to proxywrite and is approved
// by proxy_write_maps (proxymap(8)); what says as whom mail is delivered is never asked of either,
// whatever stands before the table (proxymap(8), "SECURITY").
#pragma once

#include <string>
#include <vector>

#include "config/postfix/approved_tables.h"
#include "proxy/check/findings.h"

namespace proxymux::proxy {

// A setting of main.cf, one that a service of master.cf has for itself, or a built-in default.
struct NamedValue {
  std::string file;
  int line = 0;
  std::string name;
  std::string value;    // expanded
  std::string service;  // of master.cf; empty: main.cf
  bool is_default = false;
};

struct TableApprovals {
  config::ApprovedTables read;   // proxy_read_maps
  config::ApprovedTables write;  // proxy_write_maps
};

// `values`: settings that daemons read, defaults last; not those that only others refer to.
void CheckTableUses(const std::vector<NamedValue>& values, const TableApprovals& approvals,
                    Findings* findings);

}  // namespace proxymux::proxy
