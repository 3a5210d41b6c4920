#include "config/postfix/pgsql_table_settings.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "config/postfix/foreign_settings.h"
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

const KnownSetting* FindKnown(std::string_view name) {
  const auto at = std::find_if(kKnownSettings.begin(), kKnownSettings.end(),
                               [&](const KnownSetting& known) { return known.name == name; });
  return at == kKnownSettings.end() ? nullptr : at;
}

// Of a name that is not known; empty: nobody can tell.
std::string WhatWasMeant(const std::string& name) {
  if (const std::string_view instead = InsteadOf(name); !instead.empty()) {
    return std::string(instead);
  }
  std::vector<std::string_view> names;
  for (const KnownSetting& known : kKnownSettings) names.push_back(known.name);
  const std::string nearest = NearestName(name, names);
  return nearest.empty() ? nearest : "did you mean \"" + nearest + "\"?";
}

}  // namespace

bool PgsqlTableSettings::IsKnown(std::string_view name) { return FindKnown(name) != nullptr; }

void PgsqlTableSettings::Add(const MainCfSetting& setting) {
  const KnownSetting* known = FindKnown(setting.name);
  if (known == nullptr) {
    if (unknown_.insert(setting.name).second) {
      Report(Severity::kWarning, setting.line,
             "unknown setting \"" + WithoutSecrets(setting.name) + "\"; it is ignored",
             WhatWasMeant(setting.name));
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

void PgsqlTableSettings::DropUnread() {
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

const MainCfSetting* PgsqlTableSettings::Find(std::string_view name) const {
  const auto at = settings_.find(name);
  return at == settings_.end() ? nullptr : &at->second;
}

std::string PgsqlTableSettings::Text(std::string_view name) const {
  const MainCfSetting* setting = Find(name);
  return setting == nullptr ? std::string() : setting->value;
}

int PgsqlTableSettings::LineOf(std::string_view name) const {
  const MainCfSetting* setting = Find(name);
  return setting == nullptr ? 0 : setting->line;
}

std::map<std::string, TextPlace, std::less<>> PgsqlTableSettings::Places() const {
  std::map<std::string, TextPlace, std::less<>> places;
  for (const auto& [name, setting] : settings_) {
    places.emplace(name, TextPlace{setting.line, setting.breaks});
  }
  return places;
}

bool PgsqlTableSettings::AnyFaulty(std::initializer_list<std::string_view> names) const {
  return std::any_of(names.begin(), names.end(),
                     [this](std::string_view name) { return faulty_.contains(name); });
}

void PgsqlTableSettings::Report(Severity severity, int line, std::string text, std::string hint) {
  diagnostics_.push_back({file_, line, 0, severity, std::move(text), std::move(hint)});
}

void PgsqlTableSettings::ReportAll(std::vector<Diagnostic> diagnostics) {
  std::move(diagnostics.begin(), diagnostics.end(), std::back_inserter(diagnostics_));
}

std::vector<Diagnostic> PgsqlTableSettings::TakeDiagnostics() {
  std::stable_sort(diagnostics_.begin(), diagnostics_.end(),
                   [](const Diagnostic& a, const Diagnostic& b) { return a.line < b.line; });
  return std::exchange(diagnostics_, {});
}

}  // namespace proxymux::config
