#include "proxy/check/file_readers.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace proxymux::proxy {
namespace {

std::string_view NameOf(ServiceFile::Kind kind) {
  switch (kind) {
    case ServiceFile::Kind::kSettings:
    case ServiceFile::Kind::kMainCf:
      return "";
    case ServiceFile::Kind::kRootCert:
      return "sslrootcert";
    case ServiceFile::Kind::kCertificate:
      return "sslcert";
    case ServiceFile::Kind::kKey:
      return "sslkey";
  }
  return "";
}

std::string GroupOf(gid_t id) {
  const group* entry = getgrgid(id);
  return entry != nullptr ? entry->gr_name : std::to_string(id);
}

std::string UserOf(uid_t id) {
  const passwd* entry = getpwuid(id);
  return entry != nullptr ? entry->pw_name : std::to_string(id);
}

// Whether users of no group in particular get to the file and can read it.
bool EverybodyCanRead(const std::string& path, const struct stat& status) {
  if ((status.st_mode & S_IROTH) == 0) return false;
  std::error_code error;
  std::filesystem::path directory = std::filesystem::absolute(path, error).parent_path();
  while (true) {
    struct stat entered {};
    if (stat(directory.c_str(), &entered) != 0) return false;
    if ((entered.st_mode & S_IXOTH) == 0) return false;
    if (directory == directory.parent_path()) return true;
    directory = directory.parent_path();
  }
}

// Who but root can write to a file or directory of that status; empty: nobody.
std::string WriterOf(const struct stat& status) {
  if ((status.st_mode & S_IWOTH) != 0) return "everybody";
  if (status.st_uid != 0) return "user " + UserOf(status.st_uid);
  if ((status.st_mode & S_IWGRP) != 0 && status.st_gid != 0)
    return "group " + GroupOf(status.st_gid);
  return "";
}

// What is in such a file decides what processes of root's do: it is for root to change, and so are
// the directories that it is found by. In a sticky one only its owner renames what is root's.
void CheckWriters(const std::string& path, const struct stat& status, Findings* findings) {
  if (const std::string writer = WriterOf(status); !writer.empty()) {
    findings->Warning(path, 0, writer + " can change it", "chown root, chmod go-w");
    return;
  }
  std::error_code error;
  std::filesystem::path directory = std::filesystem::absolute(path, error);
  while (directory != directory.parent_path()) {
    directory = directory.parent_path();
    struct stat entered {};
    if (stat(directory.c_str(), &entered) != 0) return;
    if ((entered.st_mode & S_ISVTX) != 0) entered.st_mode &= ~(S_IWGRP | S_IWOTH);
    const std::string writer = WriterOf(entered);
    if (writer.empty()) continue;
    findings->Warning(directory, 0, writer + " can put another file in the place of " + path,
                      "chown root, chmod go-w");
    return;
  }
}

void CheckSettings(const ServiceFile& file, const struct stat& status, const Account& owner,
                   Findings* findings) {
  CheckWriters(file.path, status, findings);
  const bool is_main_cf = file.kind == ServiceFile::Kind::kMainCf;
  const std::string for_few = "chgrp " + GroupOf(owner.gid) + ", chmod 640";
  if (!CanRead(owner, file.path)) {
    findings->Warning(file.path, 0,
                      owner.name +
                          " cannot read it: it is read at the start, as root, but not "
                          "when it changes",
                      is_main_cf ? "chmod 644" : for_few + " would do");
  }
  if (file.secret && EverybodyCanRead(file.path, status)) {
    findings->Warning(file.path, 0,
                      "everybody on this machine can read it, and it holds a password",
                      is_main_cf ? "write the table into a file of its own, with chmod 640, and "
                                   "name that: main.cf is read by everybody's sendmail and mailq"
                                 : for_few);
  }
}

// libpq, "Client Certificates": a key that others may read is refused, but root's may be of a
// group.
void CheckKey(const ServiceFile& file, const struct stat& status, Findings* findings) {
  const mode_t forbidden = status.st_uid == 0 ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO;
  if ((status.st_mode & forbidden) == 0) return;
  findings->Error(file.named_in, file.line,
                  "sslkey " + file.path + ": libpq refuses a key that others can read",
                  status.st_uid == 0 ? "chmod 640" : "chmod 600");
}

void CheckCredential(const ServiceFile& file, const Account& owner, Findings* findings) {
  const std::string what = std::string(NameOf(file.kind)) + " " + file.path + ": ";
  struct stat status {};
  if (stat(file.path.c_str(), &status) != 0) {
    const bool not_there = errno == ENOENT || errno == ENOTDIR;
    const std::string why = std::strerror(errno);
    if (file.kind == ServiceFile::Kind::kRootCert && !file.verifies && not_there) {
      findings->Warning(file.named_in, file.line,
                        what + why + ": the server's certificate is not looked at",
                        "name a file that is there, with sslmode verify-full");
    } else if (file.kind == ServiceFile::Kind::kCertificate && not_there) {
      findings->Warning(file.named_in, file.line,
                        what + why + ": no client certificate is shown to the server",
                        "name a file that is there");
    } else {
      findings->Error(file.named_in, file.line, what + why + ": no connection succeeds",
                      "name a file that is there");
    }
    return;
  }
  if (!CanRead(owner, file.path)) {
    findings->Error(file.named_in, file.line,
                    what + owner.name + " cannot read it: no connection succeeds",
                    "let " + owner.name + " read the file, and enter the directories above it");
    return;
  }
  if (file.kind == ServiceFile::Kind::kKey) CheckKey(file, status, findings);
}

}  // namespace

void CheckReaders(const std::vector<ServiceFile>& files, const Account& owner, Findings* findings) {
  using Kind = ServiceFile::Kind;
  for (const ServiceFile& file : files) {
    if (file.kind != Kind::kSettings && file.kind != Kind::kMainCf) {
      CheckCredential(file, owner, findings);
      continue;
    }
    struct stat status {};
    // That one is not there is told by whoever reads it.
    if (stat(file.path.c_str(), &status) == 0) CheckSettings(file, status, owner, findings);
  }
}

}  // namespace proxymux::proxy
