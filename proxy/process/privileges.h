// Giving up root for good, as Postfix daemons do with `-u`: to main.cf's mail_owner, its group, and
// its supplementary groups.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <variant>

namespace proxymux::proxy {

struct Account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
};

struct PrivilegeError {
  std::string text;
};

// Reads the account from the password database (may block: NSS). An account with user id or group
// id 0 is refused.
std::variant<Account, PrivilegeError> FindAccount(const std::string& user_name);

// setgid, initgroups, setuid, and then a check that root cannot come back. A process that is not
// root and already runs as that user is left as it is; as any other user it is an error. After an
// error the process may be half way: it must end.
std::optional<PrivilegeError> DropPrivileges(const Account& account);

// Whether that account could open the file for reading; asked of the kernel by a child process that
// has become it. Root only, and only while the process has no other threads.
bool CanRead(const Account& account, const std::string& path);

}  // namespace proxymux::proxy
