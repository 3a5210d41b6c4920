// From a table's name to what is served for it: reads the file (or main.cf's NAME_... settings),
// parses and compiles it, and finds its pool. Used at the start, when a file or the settings
// change, and by `proxymux check` and `proxymux lookup`.
//
// What files held can be kept and given back: a service that has given up root may not be able to
// read them again.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/postfix/main_cf.h"
#include "config/postfix/pgsql_table_parser.h"
#include "config/values/diagnostic.h"
#include "config/values/mail_version.h"
#include "pgsql/libpq/pg_pools.h"
#include "pgsql/work/table_binding.h"
#include "proxy/tables/file_watch.h"
#include "proxy/tables/service_config.h"

namespace proxymux::proxy {

// What a file held, and its signature from before it was read.
struct KeptFile {
  FileSignature signature;
  std::string text;
};
using KeptFiles = std::map<std::string, KeptFile>;  // by path

struct LoadedTable {
  std::string file;                              // that its settings stand in
  std::shared_ptr<pgsql::TableBinding> binding;  // null when there is an error
  std::shared_ptr<pgsql::ConnectionPool> pool;
  // The files that the table is made of: when one changes, the table has changed. The signatures
  // were taken before the files were read.
  std::map<std::string, FileSignature> files;
  KeptFiles texts;             // of the files whose content is known
  config::ParsedTable source;  // what `binding` was made of; holds the password
  std::vector<config::Diagnostic> diagnostics;

  // The first error, for a log line and the status: "FILE:LINE: what".
  std::string Reason() const;
};

class TableLoader {
 public:
  // What main.cf says, for tables defined in it. All must outlive the loader.
  TableLoader(pgsql::PgPools* pools, config::MailVersion mail_version, bool smtputf8_enable,
              const std::vector<config::MainCfSetting>* main_cf, std::string main_cf_file)
      : pools_(pools),
        mail_version_(mail_version),
        smtputf8_enable_(smtputf8_enable),
        main_cf_(main_cf),
        main_cf_file_(std::move(main_cf_file)) {}

  // `name` is "pgsql:/path" or "pgsql:prefix". Relative paths are read from the working directory.
  // A file that cannot be read counts, with a warning, as what `before` says that it held, unless
  // it has changed since.
  LoadedTable Load(const std::string& name, const ServiceConfig& config,
                   const KeptFiles& before = {}) const;
  // The same version with other settings: of what its files held, without a look at them.
  LoadedTable LoadKept(const std::string& name, const ServiceConfig& config,
                       const KeptFiles& texts) const;

 private:
  using FileReader =
      std::function<std::optional<std::string>(const std::string& path, std::string* error)>;

  void Build(const std::string& name, const ServiceConfig& config, const FileReader& read_file,
             LoadedTable* loaded) const;

  pgsql::PgPools* const pools_;
  const config::MailVersion mail_version_;
  const bool smtputf8_enable_;
  const std::vector<config::MainCfSetting>* const main_cf_;
  const std::string main_cf_file_;
};

}  // namespace proxymux::proxy
