// A pgsql_table(5) made ready for lookups: query, result format, domain list, hosts and limits
// compiled and checked. Immutable, shared between lookups in flight by shared_ptr<const
// CompiledTable>; a changed file makes a new one.
//
// Prepare decides whether a key needs a query at all. Nothing here allocates per lookup.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/values/server_config.h"
#include "config/values/table_config.h"
#include "pgsql/sql/key_parts.h"
#include "pgsql/sql/query_template.h"
#include "pgsql/sql/statement_class.h"
#include "pgsql/table/domain_filter.h"
#include "pgsql/table/host_spec.h"
#include "pgsql/table/result_format.h"
#include "pgsql/table/setting_fault.h"

namespace proxymux::pgsql {

enum class NoQueryReason {
  kEmptyKey,    // worth a warning
  kNoUserPart,  // the templates want a user and the key has none
  kNoDomainPart,
  kTooFewLabels,
  kDomainNotListed,  // no user@domain with a domain on the list
};
std::string_view NoQueryText(NoQueryReason reason);

struct Preparation {
  enum class Kind {
    kQuery,        // go to the database
    kNotFound,     // the answer is "not found", see reason
    kNeedTable,    // ask domain.text ("type:table") for the folded domain, then ResumePrepare
    kUnavailable,  // the domain list cannot be looked up: RETRY, see domain.text
  };
  Kind kind = Kind::kQuery;
  NoQueryReason reason = NoQueryReason::kEmptyKey;
  DomainFilter::Step domain;
};

class CompiledTable {
 public:
  using Errors = std::vector<SettingFault>;  // every fault found

  static std::variant<std::shared_ptr<const CompiledTable>, Errors> Compile(
      const config::TableConfig& table, const config::TableSettings& settings,
      const DomainFilter::FileReader& read_file, const DomainFilter::Fold& fold);

  const QueryTemplate& query() const { return query_; }
  const ResultFormat& result_format() const { return result_format_; }
  const DomainFilter& domain() const { return domain_; }
  const StatementClass& statement_class() const { return statement_class_; }
  const FormatLimits& limits() const { return limits_; }
  const std::vector<HostSpec>& hosts() const { return hosts_; }
  // Faults that leave the table in use, such as one bad entry among good hosts.
  const Errors& warnings() const { return warnings_; }

  // `folded_domain` is key.domain() folded; read only when domain() restricts.
  Preparation Prepare(const KeyParts& key, std::string_view folded_domain) const;
  Preparation ResumePrepare(const Preparation& before, DomainFilter::TableAnswer answer,
                            const KeyParts& key, std::string_view folded_domain) const;

  FormatOutcome Format(const RowSource& rows, const KeyParts& key, std::string* value) const {
    return result_format_.Format(rows, key, limits_, value);
  }

 private:
  CompiledTable(QueryTemplate query, ResultFormat result_format);
  Preparation AfterDomain(const DomainFilter::Step& step, const KeyParts& key) const;

  QueryTemplate query_;
  ResultFormat result_format_;
  DomainFilter domain_;
  StatementClass statement_class_;
  FormatLimits limits_;
  Requirements requirements_;
  std::vector<HostSpec> hosts_;
  Errors warnings_;
};

}  // namespace proxymux::pgsql
