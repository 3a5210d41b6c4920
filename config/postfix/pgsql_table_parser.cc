#include "config/postfix/pgsql_table_parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <set>
#include <utility>

#include "config/values/hidden_text.h"
#include "config/values/nearest_name.h"

namespace proxymux::config {
namespace {

// Every setting of a table, and the first release that reads it.
struct KnownSetting {
  std::string_view name;
  MailVersion since = {0, 0};
};

constexpr std::array<KnownSetting, 17> kKnownSettings = {{
    {"hosts"},
    {"user"},
    {"password"},
    {"dbname"},
    {"encoding"},  // stock from 3.8 on; a table that names one means it
    {"statement_mode"},
    {"idle_interval", {3, 9}},
    {"retry_interval", {3, 9}},
    {"query"},
    {"result_format"},
    {"domain"},
    {"expansion_limit"},
    {"select_function"},
    {"table"},
    {"select_field"},
    {"where_field"},
    {"additional_conditions"},
}};

// Before that, hosts knows only postgresql://, and dbname is required even when every host is a
// URI.
constexpr MailVersion kPostgresUriSince = {3, 10};
constexpr MailVersion kUtf8Since = {3, 8};

const KnownSetting* FindKnown(std::string_view name) {
  const auto at = std::find_if(kKnownSettings.begin(), kKnownSettings.end(),
                               [&](const KnownSetting& known) { return known.name == name; });
  return at == kKnownSettings.end() ? nullptr : at;
}

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
  TableReader(std::string file, const MailVersion& version)
      : file_(std::move(file)), version_(version) {}

  std::vector<Diagnostic>& diagnostics() { return diagnostics_; }

  // How the settings are called in messages: with the prefix of a table in main.cf.
  void set_prefix(std::string prefix) { prefix_ = std::move(prefix); }

  void Add(const MainCfSetting& setting) {
    const KnownSetting* known = FindKnown(setting.name);
    if (known == nullptr) {
      if (unknown_.insert(setting.name).second) {
        std::vector<std::string_view> names;
        for (const KnownSetting& k : kKnownSettings) names.push_back(k.name);
        const std::string nearest = NearestName(setting.name, names);
        Report(Severity::kWarning, setting.line,
               "unknown setting \"" + WithoutSecrets(setting.name) + "\"; it is ignored",
               nearest.empty() ? nearest : "did you mean \"" + nearest + "\"?");
      }
      return;
    }
    if (!setting.fault.empty()) {
      settings_.erase(known->name);
      faulty_.insert(known->name);
      Report(Severity::kError, setting.line, prefix_ + setting.name + ": " + setting.fault,
             "write `$$` for a plain \"$\"");
      return;
    }
    const auto [earlier, is_new] = settings_.try_emplace(known->name, setting);
    if (is_new) return;
    if (earlier->second.value != setting.value) {
      Report(Severity::kWarning, setting.line,
             prefix_ + setting.name + " is set again with another value; this one counts",
             "it is first set in line " + std::to_string(earlier->second.line));
    }
    earlier->second = setting;
  }

  ParsedTable Finish() {
    ParsedTable result;
    TableConfig table;
    DropUnread();
    table.hosts = SplitList(Text("hosts"), false);
    if (table.hosts.empty()) table.hosts = {"localhost"};
    table.user = Text("user");
    table.password = Text("password");
    table.dbname = Text("dbname");
    table.encoding = NonEmpty("encoding", version_ >= kUtf8Since ? "UTF8" : "LATIN1");
    table.result_format = NonEmpty("result_format", "%s");
    table.domain = SplitList(Text("domain"), true);
    table.idle_interval = std::chrono::seconds(Number("idle_interval", 60, 1));
    table.retry_interval = std::chrono::seconds(Number("retry_interval", 60, 1));
    table.expansion_limit = Number("expansion_limit", 0, std::numeric_limits<std::int32_t>::min());
    table.statement_mode = ReadStatementMode();
    table.query = ReadQuery();
    CheckHosts(table);
    result.diagnostics = std::move(diagnostics_);
    std::stable_sort(result.diagnostics.begin(), result.diagnostics.end(),
                     [](const Diagnostic& a, const Diagnostic& b) { return a.line < b.line; });
    if (!HasErrors(result.diagnostics)) result.table = std::move(table);
    return result;
  }

 private:
  void Report(Severity severity, int line, std::string text, std::string hint) {
    diagnostics_.push_back({file_, line, 0, severity, std::move(text), std::move(hint)});
  }

  const MainCfSetting* Find(std::string_view name) const {
    const auto at = settings_.find(name);
    return at == settings_.end() ? nullptr : &at->second;
  }

  // Given, but with a fault that was reported: not missing.
  bool AnyFaulty(std::initializer_list<std::string_view> names) const {
    return std::any_of(names.begin(), names.end(),
                       [this](std::string_view name) { return faulty_.contains(name); });
  }

  int LineOf(std::string_view name) const {
    const MainCfSetting* setting = Find(name);
    return setting == nullptr ? 0 : setting->line;
  }

  // Settings that the release we stand in for does not read: its default counts, as there.
  void DropUnread() {
    for (const KnownSetting& known : kKnownSettings) {
      if (version_ >= known.since) continue;
      const MainCfSetting* setting = Find(known.name);
      if (setting == nullptr) continue;
      Report(Severity::kWarning, setting->line,
             prefix_ + std::string(known.name) + " is not read by Postfix " + version_.ToString() +
                 ", only since " + known.since.ToString() + "; it has its default",
             "remove it, or leave it for an upgrade of Postfix");
      settings_.erase(known.name);
    }
  }

  // Empty when absent or set to nothing.
  std::string Text(std::string_view name) const {
    const MainCfSetting* setting = Find(name);
    return setting == nullptr ? std::string() : setting->value;
  }

  std::string NonEmpty(std::string_view name, std::string_view fallback) {
    const MainCfSetting* setting = Find(name);
    if (setting == nullptr) return std::string(fallback);
    if (setting->value.empty()) {
      Report(Severity::kError, setting->line, prefix_ + setting->name + " is empty",
             "remove the line for the default, " + std::string(fallback));
    }
    return setting->value;
  }

  std::int64_t Number(std::string_view name, std::int64_t fallback, std::int64_t minimum) {
    const MainCfSetting* setting = Find(name);
    if (setting == nullptr) return fallback;
    std::string_view digits = setting->value;
    if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
    std::int64_t value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, value);
    if (error == std::errc::invalid_argument || rest != end) {
      Report(Severity::kError, setting->line,
             prefix_ + setting->name + " is no whole number: \"" + setting->value + '"',
             "write digits only, without a unit");
      return fallback;
    }
    constexpr std::int64_t kMaximum = std::numeric_limits<std::int32_t>::max();
    if (error != std::errc{} || value < minimum || value > kMaximum) {
      Report(Severity::kError, setting->line,
             prefix_ + setting->name + " is out of bounds: " + setting->value,
             "expected " + std::to_string(minimum) + " to " + std::to_string(kMaximum));
      return fallback;
    }
    return value;
  }

  std::optional<StatementMode> ReadStatementMode() {
    const MainCfSetting* setting = Find("statement_mode");
    if (setting == nullptr) return std::nullopt;
    const std::string word = Lower(setting->value);
    if (word == "auto") return StatementMode::kAuto;
    if (word == "legacy") return StatementMode::kLegacy;
    if (word == "parameterized") return StatementMode::kParameterized;
    if (word == "prepared") return StatementMode::kPrepared;
    const std::string nearest = NearestName(word, {"auto", "legacy", "parameterized", "prepared"});
    Report(Severity::kError, setting->line,
           prefix_ + "statement_mode is \"" + setting->value +
               "\": expected auto, legacy, parameterized or prepared",
           nearest.empty() ? nearest : "did you mean \"" + nearest + "\"?");
    return std::nullopt;
  }

  // pgsql_table(5), "OBSOLETE QUERY INTERFACES": query, else select_function, else the parts.
  std::string ReadQuery() {
    if (std::string query = Text("query"); !query.empty()) return query;
    if (const std::string function = Text("select_function"); !function.empty()) {
      return "SELECT " + function + "('%s')";
    }
    if (AnyFaulty({"query", "select_function", "table", "select_field", "where_field"})) return {};
    std::string missing;
    for (const std::string_view part : {"table", "select_field", "where_field"}) {
      if (!Text(part).empty()) continue;
      missing += (missing.empty() ? "" : ", ") + prefix_ + std::string(part);
    }
    if (!missing.empty()) {
      const bool uses_parts = Find("table") || Find("select_field") || Find("where_field");
      Report(Severity::kError, LineOf("query"),
             uses_parts ? "there is no " + prefix_ +
                              "query, and of its older form these are missing: " + missing
                        : "there is no " + prefix_ + "query",
             "write `" + prefix_ + "query = SELECT ...`");
      return {};
    }
    return "SELECT " + Text("select_field") + " FROM " + Text("table") + " WHERE " +
           Text("where_field") + "='%s' " + Text("additional_conditions");
  }

  void CheckHosts(const TableConfig& table) {
    bool all_uris = true;
    for (const std::string& host : table.hosts) {
      if (host.starts_with("postgresql://")) continue;
      if (!host.starts_with("postgres://")) {
        all_uris = false;
      } else if (version_ < kPostgresUriSince) {
        Report(Severity::kWarning, LineOf("hosts"),
               "Postfix " + version_.ToString() + " knows no postgres:// hosts, only since " +
                   kPostgresUriSince.ToString() + "; proxymux connects to it all the same",
               "write postgresql:// for both");
      }
    }
    if (!table.dbname.empty() || (all_uris && version_ >= kPostgresUriSince)) return;
    if (AnyFaulty({"dbname", "hosts"})) return;
    Report(Severity::kError, LineOf("dbname"), "there is no " + prefix_ + "dbname",
           all_uris ? "Postfix before 3.10 requires it even when every host is a URI"
                    : "write `" + prefix_ + "dbname = NAME`");
  }

  std::string file_;
  MailVersion version_;
  std::string prefix_;
  std::map<std::string_view, MainCfSetting> settings_;  // by the names in kKnownSettings
  std::set<std::string_view> faulty_;                   // by the same
  std::set<std::string> unknown_;
  std::vector<Diagnostic> diagnostics_;
};

}  // namespace

ParsedTable ParsePgsqlTable(std::string_view text, const std::string& file,
                            const MailVersion& version) {
  TableReader reader(file, version);
  MainCf lines = ParseMainCf(text, file);
  reader.diagnostics() = std::move(lines.diagnostics);
  for (const MainCfSetting& setting : lines.settings) reader.Add(setting);
  return reader.Finish();
}

ParsedTable ParsePgsqlTableInMainCf(const std::string& name,
                                    const std::vector<MainCfSetting>& main_cf,
                                    const std::string& file, const MailVersion& version) {
  TableReader reader(file, version);
  const std::string prefix = name + '_';
  reader.set_prefix(prefix);
  bool found = false;
  for (const MainCfSetting& setting : main_cf) {
    if (!setting.name.starts_with(prefix)) continue;
    const std::string_view rest = std::string_view(setting.name).substr(prefix.size());
    // Other parameters may begin like this too, so an unknown one is nobody's mistake.
    if (FindKnown(rest) == nullptr) continue;
    found = true;
    reader.Add({std::string(rest), setting.value, setting.line, setting.fault});
  }
  if (!found) {
    reader.diagnostics().push_back(
        {file, 0, 0, Severity::kError,
         "there are no settings for pgsql:" + name + " (" + prefix + "hosts, " + prefix +
             "query, ...)",
         "if a file is meant, write its whole path: pgsql:/etc/postfix/" + name});
  }
  return reader.Finish();
}

}  // namespace proxymux::config
