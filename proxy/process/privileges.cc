#include "proxy/process/privileges.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace proxymux::proxy {
namespace {

PrivilegeError Failed(const char* call, const Account& account) {
  return {fmt::format("cannot become user {} (uid {}, gid {}): {}: {}", account.name, account.uid,
                      account.gid, call, std::strerror(errno))};
}

bool RunsOnlyAs(const Account& account) {
  uid_t real_uid, effective_uid, saved_uid;
  gid_t real_gid, effective_gid, saved_gid;
  if (getresuid(&real_uid, &effective_uid, &saved_uid) != 0 ||
      getresgid(&real_gid, &effective_gid, &saved_gid) != 0) {
    return false;
  }
  return real_uid == account.uid && effective_uid == account.uid && saved_uid == account.uid &&
         real_gid == account.gid && effective_gid == account.gid && saved_gid == account.gid;
}

}  // namespace

std::variant<Account, PrivilegeError> FindAccount(const std::string& user_name) {
  std::vector<char> buffer(4096);
  passwd entry{};
  passwd* found = nullptr;
  for (;;) {
    const int error = getpwnam_r(user_name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (error == ERANGE && buffer.size() < (1u << 20)) {
      buffer.resize(buffer.size() * 2);
      continue;
    }
    if (error == EINTR) continue;
    if (error != 0) {
      return PrivilegeError{
          fmt::format("cannot look up user {}: {}", user_name, std::strerror(error))};
    }
    break;
  }
  if (found == nullptr) {
    return PrivilegeError{
        fmt::format("mail_owner: there is no user `{}' on this machine", user_name)};
  }
  if (found->pw_uid == 0 || found->pw_gid == 0) {
    return PrivilegeError{
        fmt::format("mail_owner: user {} has user id {} and group id {}; neither may be 0",
                    user_name, found->pw_uid, found->pw_gid)};
  }
  return Account{user_name, found->pw_uid, found->pw_gid};
}

std::optional<PrivilegeError> DropPrivileges(const Account& account) {
  if (geteuid() != 0) {
    if (RunsOnlyAs(account)) return std::nullopt;
    return PrivilegeError{
        fmt::format("cannot become user {}: the process runs as user id {} and not as root",
                    account.name, geteuid())};
  }
  if (setgid(account.gid) != 0) return Failed("setgid", account);
  if (initgroups(account.name.c_str(), account.gid) != 0) return Failed("initgroups", account);
  if (setuid(account.uid) != 0) return Failed("setuid", account);
  if (!RunsOnlyAs(account) || setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0) {
    return PrivilegeError{
        fmt::format("root privileges could not be given up for good as user {}", account.name)};
  }
  return std::nullopt;
}

bool CanRead(const Account& account, const std::string& path) {
  const pid_t child = fork();
  if (child < 0) return false;
  if (child == 0) {
    const bool readable = !DropPrivileges(account).has_value() &&
                          open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC) >= 0;
    _exit(readable ? 0 : 1);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace proxymux::proxy
