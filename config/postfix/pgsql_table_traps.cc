#include "config/postfix/pgsql_table_traps.h"

#include <algorithm>
#include <array>

namespace proxymux::config {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

bool IsBlank(char c) { return kBlanks.find(c) != std::string_view::npos; }

// A '#' where a comment would begin. A password may begin with one.
bool LooksCommented(std::string_view value) {
  for (std::size_t at = value.find('#'); at != std::string_view::npos;
       at = value.find('#', at + 1)) {
    if (at > 0 && IsBlank(value[at - 1])) return true;
    if (at == 0 && value.size() > 1 && IsBlank(value[1])) return true;
  }
  return false;
}

bool IsQuoted(std::string_view value) {
  return value.size() >= 2 && value.front() == value.back() &&
         (value.front() == '"' || value.front() == '\'');
}

bool IsName(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !text.empty() && letter(text[0]) && std::ranges::all_of(text, [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
}

std::string_view Trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// ${NAME}, {{NAME}}, <%NAME%>, <%= NAME %>.
bool HoldsVariable(std::string_view value) {
  struct Form {
    std::string_view begin, end;
  };
  constexpr std::array kForms = {Form{"${", "}"}, Form{"{{", "}}"}, Form{"<%=", "%>"},
                                 Form{"<%", "%>"}};
  for (const Form& form : kForms) {
    for (std::size_t at = value.find(form.begin); at != std::string_view::npos;
         at = value.find(form.begin, at + 1)) {
      const std::size_t name = at + form.begin.size();
      const std::size_t end = value.find(form.end, name);
      if (end == std::string_view::npos) break;
      if (IsName(Trim(value.substr(name, end - name)))) return true;
    }
  }
  return false;
}

// The directory of a host that is the file of a socket; empty: it is none. Never a part of a URI,
// which may hold a password.
std::string_view DirectoryOfSocket(std::string_view host) {
  for (const std::string_view prefix : {"unix:", "inet:"}) {
    if (host.starts_with(prefix)) host.remove_prefix(prefix.size());
  }
  if (!host.starts_with('/')) return {};
  const std::size_t slash = host.rfind('/');
  return host.substr(slash + 1).starts_with(".s.PGSQL.") ? host.substr(0, slash)
                                                         : std::string_view();
}

class TrapFinder {
 public:
  explicit TrapFinder(PgsqlTableSettings* settings) : settings_(settings) {}

  void Find() {
    for (const std::string_view name :
         {"hosts", "user", "password", "dbname", "encoding", "domain", "result_format"}) {
      Warn(name, LooksCommented(Value(name)),
           "a # behind a value begins no comment: it and what follows are a part of the value",
           "write the comment on a line of its own");
    }
    for (const std::string_view name :
         {"hosts", "user", "password", "dbname", "query", "domain", "result_format"}) {
      Warn(name, IsQuoted(Value(name)), "the quotes around the value are a part of it",
           "remove them");
    }
    for (const std::string_view name : {"hosts", "user", "password", "dbname", "query"}) {
      Warn(name, HoldsVariable(Value(name)),
           "the value holds what looks like the variable of a template: it is taken as it stands",
           "fill it in; nothing is expanded in the file of a table");
    }
    std::string_view hosts = Value("hosts");
    while (!hosts.empty()) {
      const std::string_view host = hosts.substr(0, hosts.find_first_of(", \t\r\n"));
      hosts.remove_prefix(std::min(host.size() + 1, hosts.size()));
      const std::string_view directory = DirectoryOfSocket(host);
      Warn("hosts", !directory.empty(), "a socket is named where its directory is meant",
           "write " + std::string(directory));
    }
  }

 private:
  std::string_view Value(std::string_view name) const {
    const MainCfSetting* setting = settings_->Find(name);
    return setting == nullptr ? std::string_view() : setting->value;
  }
  void Warn(std::string_view name, bool trapped, std::string_view text, std::string hint) {
    if (!trapped) return;
    settings_->Report(Severity::kWarning, settings_->LineOf(name),
                      settings_->prefix() + std::string(name) + ": " + std::string(text),
                      std::move(hint));
  }

  PgsqlTableSettings* const settings_;
};

}  // namespace

void WarnOfTraps(PgsqlTableSettings* settings) { TrapFinder(settings).Find(); }

}  // namespace proxymux::config
