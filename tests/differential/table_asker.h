// Asks everybody about one table after the other, over connections of its own, and compares.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/dialect.h"
#include "tests/differential/answered.h"
#include "tests/differential/comparison_report.h"
#include "tests/differential/differential_table.h"
#include "tests/harness/postfix_instance.h"
#include "tests/harness/proxymap_client.h"

namespace proxymux::differential {

// A name without a dot: the table's settings are in main.cf.
bool InMainCf(const std::string& name);

// A table's copy with another statement_mode.
std::string CopyName(const std::string& name, const std::string& mode);
std::string WithMode(const std::string& text, const std::string& mode);

class TableAsker {
 public:
  TableAsker(const harness::PostfixInstance& postfix, const ComparisonOptions& options)
      : postfix_(postfix),
        options_(options),
        stock_(postfix.SocketPath("proxymap")),
        older_(postfix.SocketPath("proxymux")),
        newer_(postfix.SocketPath("proxymux"), protocol::Dialect::kInstanceFlags) {}

  ComparisonReport Ask(const DifferentialTable& table, const std::vector<std::string>& keys);

 private:
  std::string NameOf(const std::string& name) const;
  Answered Older(harness::ProxymapClient& client, const char* who, const std::string& table,
                 const std::string& key);
  Answered Newer(const std::string& table, const std::string& key, std::uint32_t flags);
  void Compare(const std::string& between, const DifferentialTable& table, const std::string& key,
               const Answered& stock, const Answered& ours, ComparisonReport& report,
               const std::string& mode = "") const;

  const harness::PostfixInstance& postfix_;
  const ComparisonOptions& options_;
  harness::ProxymapClient stock_, older_, newer_;
};

}  // namespace proxymux::differential
