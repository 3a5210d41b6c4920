#include "tests/harness/postfix_instance.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "tests/harness/installed_postfix.h"
#include "tests/harness/socket.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::harness {
namespace {

namespace fs = std::filesystem;

void GiveTo(const std::string& path, const std::string& user) {
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr) throw std::runtime_error("no user " + user + ": run scripts/setup");
  if (::chown(path.c_str(), entry->pw_uid, entry->pw_gid) != 0) {
    throw std::runtime_error("cannot give " + path + " to " + user + ": run as root");
  }
}

// Postfix programs sleep for up to two seconds when main.cf is younger than that, so that they do
// not read half of it.
void MakeOld(const std::string& path) {
  timespec times[2] = {{::time(nullptr) - 60, 0}, {::time(nullptr) - 60, 0}};
  ::utimensat(AT_FDCWD, path.c_str(), times, 0);
}

// A reload ends the process that serves, stock's and ours alike. A daemon ignores SIGPIPE and asks
// the next one; postmap, when it writes at that moment, dies of it.
CommandResult RunPostmap(const std::vector<std::string>& command,
                         const CommandOptions& options = {}) {
  CommandResult result;
  do {
    result = RunCommand(command, options);
  } while (result.status == 128 + SIGPIPE);
  return result;
}

}  // namespace

PostfixInstance::PostfixInstance(std::string directory, const Options& options)
    : directory_(std::move(directory)), smtp_port_(FreePort()), options_(options) {
  if (options_.service != Service::kStock && options_.proxymux.empty()) {
    throw std::runtime_error("no proxymux binary given");
  }
  for (const auto& path : {directory_, config_directory(), queue_directory(), data_directory(),
                           daemon_directory(), mail_directory(), directory_ + "/log"}) {
    fs::create_directory(path);
  }
  GiveTo(data_directory(), "postfix");
  GiveTo(mail_directory(), "nobody");
  // Copies, since `postfix start` warns of links that lead elsewhere.
  for (const auto& entry : fs::directory_iterator(TheInstalledPostfix().daemon_directory)) {
    fs::copy(entry.path(), daemon_directory() + "/" + entry.path().filename().string(),
             fs::copy_options::recursive);
  }
  if (!options_.proxymux.empty()) {
    const std::string to = daemon_directory() + "/proxymux";
    fs::copy_file(options_.proxymux, to);
    ::chmod(to.c_str(), 0755);
  }
  for (const auto& table : options_.tables) WriteConfig(table.name, table.text);
  if (!options_.yaml.empty()) WriteConfig("proxymux.yaml", options_.yaml);
  WriteMainCf(options_);
  WriteMasterCf(options_);
}

PostfixInstance::~PostfixInstance() {
  try {
    if (Running()) Stop();
  } catch (const std::exception&) {
    // EndProcessesIn does what `postfix stop` could not.
  }
  EndProcessesIn(directory_);
}

void PostfixInstance::WriteConfig(const std::string& name, const std::string& text, int mode) {
  const std::string path = config_directory() + "/" + name;
  const std::string ready = path + ".ready";
  WriteFile(ready, text, mode);
  const group* postfix = ::getgrnam("postfix");
  if (postfix == nullptr || ::chown(ready.c_str(), 0, postfix->gr_gid) != 0 ||
      ::rename(ready.c_str(), path.c_str()) != 0) {
    throw std::runtime_error("cannot write " + path + ": run scripts/setup, as root");
  }
}

// Each setting once, as given last: Postfix warns of every other.
static std::string WithoutOverridden(const std::string& main_cf) {
  std::vector<std::string> lines;
  std::istringstream in(main_cf);
  for (std::string line; std::getline(in, line);) {
    const std::string name = line.substr(0, line.find_first_of(" ="));
    std::erase_if(lines, [&name](const std::string& earlier) {
      return earlier.substr(0, earlier.find_first_of(" =")) == name;
    });
    lines.push_back(line);
  }
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

void PostfixInstance::WriteMainCf(const Options& options) {
  options_ = options;
  std::ostringstream text;
  text << "compatibility_level = 3.6\n"
       << "queue_directory = " << queue_directory() << "\n"
       << "data_directory = " << data_directory() << "\n"
       << "daemon_directory = " << daemon_directory() << "\n"
       << "maillog_file = " << log_path() << "\n"
       << "maillog_file_prefixes = " << directory_ << "/log\n"
       << "syslog_name = postfix-test\n"
       << "myhostname = mail.example.net\n"
       << "inet_interfaces = 127.0.0.1\n"
       << "inet_protocols = ipv4\n"
       << "mynetworks = 127.0.0.0/8\n"
       << "mydestination =\n"
       << "local_recipient_maps =\n"
       << "alias_maps =\n"
       << "alias_database =\n"
       << "default_transport = error:no mail leaves this test\n"
       << "smtpd_peername_lookup = no\n"
       << "virtual_mailbox_base = " << mail_directory() << "\n"
       << "virtual_uid_maps = static:65534\n"
       << "virtual_gid_maps = static:65534\n";
  if (options_.service == Service::kBeside) text << "proxymap_service_name = proxymux\n";
  const auto table = [&](const char* setting, const char* name) {
    for (const auto& file : options_.tables) {
      if (file.name == name) text << setting << " = proxy:" << Table(name) << "\n";
    }
  };
  table("virtual_alias_domains", "pgsql-alias-domains.cf");
  table("virtual_alias_maps", "pgsql-aliases.cf");
  table("virtual_mailbox_domains", "pgsql-mailbox-domains.cf");
  table("virtual_mailbox_maps", "pgsql-mailboxes.cf");
  table("transport_maps", "pgsql-transport.cf");
  table("relay_recipient_maps", "pgsql-relay.cf");
  // Tables that no Postfix setting names are approved by themselves.
  text << "proxy_read_maps = proxy:unix:passwd.byname $virtual_alias_domains $virtual_alias_maps "
          "$virtual_mailbox_domains $virtual_mailbox_maps $transport_maps $relay_recipient_maps";
  for (const auto& file : options_.tables) {
    if (file.name.ends_with(".cf")) text << " proxy:" << Table(file.name);
  }
  for (const auto& table : options_.approved) text << " proxy:" << table;
  text << "\n";
  for (const auto& line : options_.main_cf) text << line << "\n";
  WriteConfig("main.cf", WithoutOverridden(text.str()), 0644);
  MakeOld(config_directory() + "/main.cf");
}

void PostfixInstance::WriteMasterCf(const Options& options) {
  options_ = options;
  const std::string ours = options_.process_limit + " proxymux" +
                           (options_.arguments.empty() ? "" : " ") + options_.arguments;
  const bool in_place = options_.service == Service::kInPlace || options_.service == Service::kBoth;
  const bool own_line = options_.service == Service::kBeside || options_.service == Service::kBoth;
  std::ostringstream text;
  text << "postlog unix-dgram n - n - 1 postlogd\n"
       << "127.0.0.1:" << smtp_port_ << " inet n - n - - smtpd\n"
       << "cleanup unix n - n - 0 cleanup\n"
       << "qmgr unix n - n 300 1 qmgr\n"
       << "rewrite unix - - n - - trivial-rewrite\n"
       << "bounce unix - - n - 0 bounce\n"
       << "defer unix - - n - 0 bounce\n"
       << "trace unix - - n - 0 bounce\n"
       << "virtual unix - n n - - virtual\n"
       << "local unix - n n - - local\n"
       << "error unix - - n - - error\n"
       << "retry unix - - n - - error\n"
       << "anvil unix - - n - 1 anvil\n"
       << "proxymap unix - - n - "
       << (in_place ? ours + " -o proxymap_service_name=proxymap" : "- proxymap") << "\n";
  if (own_line) text << "proxymux unix - - n - " << ours << "\n";
  WriteConfig("master.cf", text.str(), 0644);
}

void PostfixInstance::Start() {
  RunOrThrow({"/usr/sbin/postfix", "-c", config_directory(), "start"});
  if (!Running()) throw std::runtime_error("Postfix does not start:\n" + Log());
}

void PostfixInstance::Reload() {
  RunOrThrow({"/usr/sbin/postfix", "-c", config_directory(), "reload"});
}

void PostfixInstance::Stop() {
  RunOrThrow({"/usr/sbin/postfix", "-c", config_directory(), "stop"});
  if (!Eventually([&] { return !Running(); })) throw std::runtime_error("Postfix does not stop");
}

bool PostfixInstance::Running() const { return MasterPid() != 0; }

pid_t PostfixInstance::MasterPid() const {
  const auto pids = Pids("master");
  return pids.empty() ? 0 : pids.front();
}

CommandResult PostfixInstance::Postmap(const std::string& key, const std::string& table) const {
  return RunPostmap({"/usr/sbin/postmap", "-c", config_directory(), "-q", key, "proxy:" + table});
}

CommandResult PostfixInstance::PostmapBatch(const std::string& keys,
                                            const std::string& table) const {
  CommandOptions options;
  options.input = keys;
  return RunPostmap({"/usr/sbin/postmap", "-c", config_directory(), "-q", "-", "proxy:" + table},
                    options);
}

std::string PostfixInstance::Log() const { return ReadFile(log_path()); }

bool PostfixInstance::WaitForLog(const std::string& text, std::size_t mark,
                                 milliseconds limit) const {
  return Eventually([&] { return Log().find(text, mark) != std::string::npos; }, limit);
}

std::vector<std::string> PostfixInstance::LogLinesWith(const std::vector<std::string>& texts,
                                                       std::size_t mark) const {
  std::vector<std::string> found;
  std::istringstream log(Log().substr(mark));
  for (std::string line; std::getline(log, line);) {
    for (const auto& text : texts) {
      if (line.find(text) == std::string::npos) continue;
      found.push_back(line);
      break;
    }
  }
  return found;
}

std::vector<pid_t> PostfixInstance::Pids(const std::string& command) const {
  std::vector<pid_t> pids;
  for (const auto& process : ProcessesIn(directory_)) {
    if (process.command == command) pids.push_back(process.pid);
  }
  return pids;
}

std::string ProxymuxBinary() {
  const char* given = std::getenv("PROXYMUX_BINARY");
  const std::string path = given != nullptr ? given : "proxy/proxymux";
  if (!fs::exists(path)) {
    throw std::runtime_error(path + ": no such file (bazel build //proxy:proxymux makes it)");
  }
  return fs::canonical(path).string();
}

}  // namespace proxymux::harness
