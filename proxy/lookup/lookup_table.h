// One pgsql table for `proxymux lookup`: loaded as the service would load it, and asked for one key
// after the other over a pool of its own, with the rights of the service: root becomes mail_owner
// when everything is read.
//
// Owns an event loop, which runs while a key is looked up and at no other time.
#pragma once

#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/values/diagnostic.h"
#include "pgsql/libpq/pg_pools.h"
#include "pgsql/table/domain_filter.h"
#include "pgsql/work/table_binding.h"
#include "proxy/log/log.h"
#include "proxy/log/message_log.h"
#include "proxy/lookup/lookup_options.h"
#include "proxy/lookup/lookup_probe.h"
#include "proxy/lookup/lookup_report.h"
#include "proxy/lookup/lookup_settings.h"
#include "proxy/requests/coalescer.h"
#include "proxy/tables/key_preparation.h"
#include "proxy/tables/pool_log.h"
#include "proxy/tables/service_config.h"
#include "proxy/uv/uv_event_loop.h"

namespace proxymux::proxy {

class LookupTable {
 public:
  // What is wrong goes to `err`, one line each. `options` and `err` must outlive the table.
  LookupTable(const LookupOptions* options, std::ostream* err);
  LookupTable(const LookupTable&) = delete;
  LookupTable& operator=(const LookupTable&) = delete;

  // False when the table cannot be asked; `err` has the reasons then.
  bool Open();

  // After Open(). At the latest after the table's lookup_timeout. What only an explanation needs is
  // not filled in without `explain`.
  LookupReport Ask(const std::string& key);

  const std::string& name() const { return name_; }  // without "proxy:"

 private:
  bool IsFile() const;
  bool utf8() const { return options_->utf8 && settings_.smtputf8_enable; }

  bool Fail(const std::string& text);
  void Tell(const std::vector<config::Diagnostic>& diagnostics);

  bool NameIsGood();
  std::optional<std::string> MisnamedSection();
  bool OpenProbe(const config::TableConfig& table);
  bool GiveUpRoot();

  void Resolve(LookupReport* report);
  pgsql::DomainFilter::TableAnswer AskDomainTable(std::string_view member,
                                                  const std::string& domain, LookupReport* report);
  void Query(LookupReport* report);

  const LookupOptions* const options_;
  std::ostream* const err_;
  std::string name_;
  UvEventLoop loop_;
  Logger logger_;
  MessageLog log_;
  PoolLog pool_log_;
  pgsql::PgPools pools_;
  Coalescer coalescer_{&loop_};
  KeyPreparation key_preparation_;
  const ServiceConfig config_;
  LookupSettings settings_;
  std::string user_;  // who asks, for people
  std::shared_ptr<pgsql::TableBinding> binding_;
  std::unique_ptr<LookupProbe> probe_;  // with `explain`; outlives its pool
  std::shared_ptr<pgsql::ConnectionPool> pool_;
};

}  // namespace proxymux::proxy
