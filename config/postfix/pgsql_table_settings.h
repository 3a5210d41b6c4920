// The settings of one pgsql table as they were written: which there are, which release reads which,
// which of several of one name counts, and what is said of those that are unknown, faulty or not
// read. Their values are pgsql_table_parser's.
//
// Owns the diagnostics of the table until they are taken.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/postfix/main_cf.h"
#include "config/values/diagnostic.h"
#include "config/values/mail_version.h"

namespace proxymux::config {

class PgsqlTableSettings {
 public:
  // `prefix`: how the settings are called in messages; that of a table in main.cf.
  PgsqlTableSettings(std::string file, const MailVersion& version, std::string prefix)
      : file_(std::move(file)), version_(version), prefix_(std::move(prefix)) {}

  static bool IsKnown(std::string_view name);

  void Add(const MainCfSetting& setting);
  // Settings that the release we stand in for does not read: its default counts, as there.
  void DropUnread();

  // Null: it is not set, or has a fault.
  const MainCfSetting* Find(std::string_view name) const;
  // Empty when absent or set to nothing.
  std::string Text(std::string_view name) const;
  int LineOf(std::string_view name) const;  // 0: it is not set
  // Of the settings that count.
  std::map<std::string, TextPlace, std::less<>> Places() const;
  // Given, but with a fault that was reported: not missing.
  bool AnyFaulty(std::initializer_list<std::string_view> names) const;

  const std::string& prefix() const { return prefix_; }
  const MailVersion& version() const { return version_; }

  void Report(Severity severity, int line, std::string text, std::string hint);
  void ReportAll(std::vector<Diagnostic> diagnostics);
  // In the order of their lines.
  std::vector<Diagnostic> TakeDiagnostics();

 private:
  const std::string file_;
  const MailVersion version_;
  const std::string prefix_;
  std::map<std::string_view, MainCfSetting> settings_;  // by the names that are known
  std::set<std::string_view> faulty_;                   // by the same
  std::set<std::string> unknown_;
  std::vector<Diagnostic> diagnostics_;
};

}  // namespace proxymux::config
