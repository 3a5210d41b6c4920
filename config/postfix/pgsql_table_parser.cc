#include "config/postfix/pgsql_table_parser.h"

#include <charconv>
#include <cstdint>
#include <limits>
#include <utility>

#include "config/postfix/pgsql_table_settings.h"
#include "config/postfix/pgsql_table_traps.h"
#include "config/values/nearest_name.h"

namespace proxymux::config {
namespace {

// Before that, hosts knows only postgresql://, and dbname is required even when every host is a
// URI.
constexpr MailVersion kPostgresUriSince = {3, 10};
constexpr MailVersion kUtf8Since = {3, 8};

// Elements between commas and white space; with `braces`, not inside {...}.
std::vector<std::string> SplitList(std::string_view text, bool braces) {
  constexpr std::string_view kSeparators = ", \t\r\n";
  std::vector<std::string> elements;
  std::string element;
  int level = 0;
  for (const char c : text) {
    if (level == 0 && kSeparators.find(c) != std::string_view::npos) {
      if (!element.empty()) elements.push_back(std::exchange(element, {}));
      continue;
    }
    if (braces && c == '{') ++level;
    if (braces && c == '}' && level > 0) --level;
    element += c;
  }
  if (!element.empty()) elements.push_back(std::move(element));
  return elements;
}

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

class TableReader {
 public:
  explicit TableReader(PgsqlTableSettings settings) : settings_(std::move(settings)) {}

  ParsedTable Read() {
    ParsedTable result;
    TableConfig table;
    settings_.DropUnread();
    table.hosts = SplitList(settings_.Text("hosts"), false);
    if (table.hosts.empty()) table.hosts = {"localhost"};
    table.user = settings_.Text("user");
    table.password = settings_.Text("password");
    table.dbname = settings_.Text("dbname");
    table.encoding = NonEmpty("encoding", settings_.version() >= kUtf8Since ? "UTF8" : "LATIN1");
    table.result_format = NonEmpty("result_format", "%s");
    table.domain = SplitList(settings_.Text("domain"), true);
    table.idle_interval = std::chrono::seconds(Number("idle_interval", 60, 1));
    table.retry_interval = std::chrono::seconds(Number("retry_interval", 60, 1));
    table.expansion_limit = Number("expansion_limit", 0, std::numeric_limits<std::int32_t>::min());
    table.statement_mode = ReadStatementMode();
    table.query = ReadQuery();
    CheckHosts(table);
    WarnOfTraps(&settings_);
    result.places = settings_.Places();
    for (const std::string_view source : {"select_function", "table"}) {
      const auto made_of = result.places.find(source);
      if (made_of == result.places.end()) continue;
      result.places.emplace("query", TextPlace{made_of->second.line, {}});
    }
    result.diagnostics = settings_.TakeDiagnostics();
    if (!HasErrors(result.diagnostics)) result.table = std::move(table);
    return result;
  }

 private:
  std::string NonEmpty(std::string_view name, std::string_view fallback) {
    const MainCfSetting* setting = settings_.Find(name);
    if (setting == nullptr) return std::string(fallback);
    if (setting->value.empty()) {
      settings_.Report(Severity::kError, setting->line,
                       settings_.prefix() + setting->name + " is empty",
                       "remove the line for the default, " + std::string(fallback));
    }
    return setting->value;
  }

  std::int64_t Number(std::string_view name, std::int64_t fallback, std::int64_t minimum) {
    const MainCfSetting* setting = settings_.Find(name);
    if (setting == nullptr) return fallback;
    std::string_view digits = setting->value;
    if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
    std::int64_t value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, value);
    if (error == std::errc::invalid_argument || rest != end) {
      settings_.Report(
          Severity::kError, setting->line,
          settings_.prefix() + setting->name + " is no whole number: \"" + setting->value + '"',
          "write digits only, without a unit");
      return fallback;
    }
    constexpr std::int64_t kMaximum = std::numeric_limits<std::int32_t>::max();
    if (error != std::errc{} || value < minimum || value > kMaximum) {
      settings_.Report(Severity::kError, setting->line,
                       settings_.prefix() + setting->name + " is out of bounds: " + setting->value,
                       "expected " + std::to_string(minimum) + " to " + std::to_string(kMaximum));
      return fallback;
    }
    return value;
  }

  std::optional<StatementMode> ReadStatementMode() {
    const MainCfSetting* setting = settings_.Find("statement_mode");
    if (setting == nullptr) return std::nullopt;
    const std::string word = Lower(setting->value);
    if (word == "auto") return StatementMode::kAuto;
    if (word == "legacy") return StatementMode::kLegacy;
    if (word == "parameterized") return StatementMode::kParameterized;
    if (word == "prepared") return StatementMode::kPrepared;
    const std::string nearest = NearestName(word, {"auto", "legacy", "parameterized", "prepared"});
    settings_.Report(Severity::kError, setting->line,
                     settings_.prefix() + "statement_mode is \"" + setting->value +
                         "\": expected auto, legacy, parameterized or prepared",
                     nearest.empty() ? nearest : "did you mean \"" + nearest + "\"?");
    return std::nullopt;
  }

  // pgsql_table(5), "OBSOLETE QUERY INTERFACES": query, else select_function, else the parts.
  std::string ReadQuery() {
    if (std::string query = settings_.Text("query"); !query.empty()) return query;
    if (const std::string function = settings_.Text("select_function"); !function.empty()) {
      return "SELECT " + function + "('%s')";
    }
    if (settings_.AnyFaulty({"query", "select_function", "table", "select_field", "where_field"}))
      return {};
    std::string missing;
    for (const std::string_view part : {"table", "select_field", "where_field"}) {
      if (!settings_.Text(part).empty()) continue;
      missing += (missing.empty() ? "" : ", ") + settings_.prefix() + std::string(part);
    }
    if (!missing.empty()) {
      const bool uses_parts = settings_.Find("table") || settings_.Find("select_field") ||
                              settings_.Find("where_field");
      settings_.Report(Severity::kError, settings_.LineOf("query"),
                       uses_parts ? "there is no " + settings_.prefix() +
                                        "query, and of its older form these are missing: " + missing
                                  : "there is no " + settings_.prefix() + "query",
                       "write `" + settings_.prefix() + "query = SELECT ...`");
      return {};
    }
    return "SELECT " + settings_.Text("select_field") + " FROM " + settings_.Text("table") +
           " WHERE " + settings_.Text("where_field") + "='%s' " +
           settings_.Text("additional_conditions");
  }

  void CheckHosts(const TableConfig& table) {
    bool all_uris = true;
    for (const std::string& host : table.hosts) {
      if (host.starts_with("postgresql://")) continue;
      if (!host.starts_with("postgres://")) {
        all_uris = false;
      } else if (settings_.version() < kPostgresUriSince) {
        settings_.Report(Severity::kWarning, settings_.LineOf("hosts"),
                         "Postfix " + settings_.version().ToString() +
                             " knows no postgres:// hosts, only since " +
                             kPostgresUriSince.ToString() +
                             "; proxymux connects to it all the same",
                         "write postgresql:// for both");
      }
    }
    if (!table.dbname.empty() || (all_uris && settings_.version() >= kPostgresUriSince)) return;
    if (settings_.AnyFaulty({"dbname", "hosts"})) return;
    settings_.Report(Severity::kError, settings_.LineOf("dbname"),
                     "there is no " + settings_.prefix() + "dbname",
                     all_uris ? "Postfix before 3.10 requires it even when every host is a URI"
                              : "write `" + settings_.prefix() + "dbname = NAME`");
  }

  PgsqlTableSettings settings_;
};

}  // namespace

int ParsedTable::LineOf(std::string_view setting, std::size_t offset) const {
  const auto place = places.find(setting);
  return place == places.end() ? 0 : place->second.LineAt(offset);
}

ParsedTable ParsePgsqlTable(std::string_view text, const std::string& file,
                            const MailVersion& version) {
  PgsqlTableSettings settings(file, version, "");
  MainCf lines = ParseMainCf(text, file);
  settings.ReportAll(std::move(lines.diagnostics));
  for (const MainCfSetting& setting : lines.settings) settings.Add(setting);
  return TableReader(std::move(settings)).Read();
}

ParsedTable ParsePgsqlTableInMainCf(const std::string& name,
                                    const std::vector<MainCfSetting>& main_cf,
                                    const std::string& file, const MailVersion& version) {
  const std::string prefix = name + '_';
  PgsqlTableSettings settings(file, version, prefix);
  bool found = false;
  for (const MainCfSetting& setting : main_cf) {
    if (!setting.name.starts_with(prefix)) continue;
    const std::string_view rest = std::string_view(setting.name).substr(prefix.size());
    // Other parameters may begin like this too, so an unknown one is nobody's mistake.
    if (!PgsqlTableSettings::IsKnown(rest)) continue;
    found = true;
    settings.Add({std::string(rest), setting.value, setting.line, setting.fault, setting.breaks});
  }
  if (!found) {
    settings.Report(Severity::kError, 0,
                    "there are no settings for pgsql:" + name + " (" + prefix + "hosts, " + prefix +
                        "query, ...)",
                    "if a file is meant, write its whole path: pgsql:/etc/postfix/" + name);
  }
  return TableReader(std::move(settings)).Read();
}

}  // namespace proxymux::config
