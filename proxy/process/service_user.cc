#include "proxy/process/service_user.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <variant>
#include <vector>

#include "proxy/process/privileges.h"

namespace proxymux::proxy {
namespace {

std::string NameOf(uid_t user) {
  const passwd* entry = getpwuid(user);
  return entry != nullptr ? entry->pw_name : "user id " + std::to_string(user);
}

// libpq looks for password files and certificates below HOME, and reads PGHOST and its like.
void ForgetSettingsOfLibpq() {
  std::vector<std::string> names = {"HOME"};
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    if (text.starts_with("PG")) names.emplace_back(text.substr(0, text.find('=')));
  }
  for (const std::string& name : names) unsetenv(name.c_str());
}

}  // namespace

ServiceUser BecomeServiceUser(const std::string& mail_owner) {
  ForgetSettingsOfLibpq();
  const std::string before = NameOf(geteuid());
  if (mail_owner.empty()) {
    return {before + "; who the service runs as is not known without main.cf", ""};
  }
  if (geteuid() != 0) {
    if (before == mail_owner) return {mail_owner + " (mail_owner), as the service", ""};
    return {before + "; the service runs as " + mail_owner + " (mail_owner)", ""};
  }
  const auto account = FindAccount(mail_owner);
  if (const auto* error = std::get_if<PrivilegeError>(&account)) return {"", error->text};
  if (const auto error = DropPrivileges(std::get<Account>(account))) return {"", error->text};
  return {mail_owner + " (mail_owner), as the service", ""};
}

}  // namespace proxymux::proxy
