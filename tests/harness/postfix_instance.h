// A private Postfix: the installed programs on queue, data and configuration directories of its
// own, all inside one directory. The system's own Postfix, running or not, is not touched.
//
// Who answers proxy: lookups is chosen by Service. Smtpd listens on a port of 127.0.0.1. Mail for
// mailboxes is delivered by virtual(8) below mail_directory(). Needs root, as Postfix does. Errors
// throw std::runtime_error.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/harness/mail_schema.h"
#include "tests/harness/process.h"

namespace proxymux::harness {

enum class Service {
  kStock,    // the stock line
  kInPlace,  // the proxymap line runs proxymux
  kBeside,   // the stock line, a line proxymux, and proxymap_service_name = proxymux
  kBoth,     // the proxymap line and a line proxymux, each a proxymux; clients use the first
};

class PostfixInstance {
 public:
  struct Options {
    Service service = Service::kStock;
    std::string proxymux;  // the binary; needed for all but kStock
    std::string process_limit =
        "1";                // of the proxymux lines; "-" is the default limit, as on the stock line
    std::string arguments;  // more of the proxymux lines, such as "-v"
    std::vector<std::string> main_cf;  // further settings, after ours
    std::vector<TableFile> tables;     // written to the configuration directory
    std::vector<std::string> approved;  // more of proxy_read_maps, without the "proxy:"
    std::string yaml;                  // proxymux.yaml; empty: no such file
  };

  PostfixInstance(std::string directory, const Options& options);
  ~PostfixInstance();

  void Start();   // returns when master listens on every service
  void Reload();  // `postfix reload`; does not wait for what follows
  void Stop();    // `postfix stop`, and waits until master is gone
  bool Running() const;

  // A file of the configuration directory, replaced at once as an editor would. Table files are
  // root:postfix, 0640.
  void WriteConfig(const std::string& name, const std::string& text, int mode = 0640);
  // main.cf or master.cf again, from other options than the constructor's.
  void WriteMainCf(const Options& options);
  void WriteMasterCf(const Options& options);
  const Options& options() const { return options_; }

  // proxy:pgsql:DIRECTORY/name without the "proxy:", for a table file of this instance.
  std::string Table(const std::string& name) const {
    return "pgsql:" + config_directory() + "/" + name;
  }
  // `postmap -q KEY proxy:TABLE`; 0 and the value, 1 and nothing, or 1 and an error text.
  CommandResult Postmap(const std::string& key, const std::string& table) const;
  // `postmap -q - proxy:TABLE`, one key per line on standard input.
  CommandResult PostmapBatch(const std::string& keys, const std::string& table) const;

  std::string Log() const;
  // The log's present length: WaitForLog(text, mark) looks only behind it.
  std::size_t LogMark() const { return Log().size(); }
  bool WaitForLog(const std::string& text, std::size_t mark = 0,
                  milliseconds limit = seconds(20)) const;
  // The lines behind `mark` that hold any of `texts`.
  std::vector<std::string> LogLinesWith(const std::vector<std::string>& texts,
                                        std::size_t mark = 0) const;
  // Those above the level of information.
  std::vector<std::string> Complaints(std::size_t mark = 0) const {
    return LogLinesWith({"warning: ", "error: ", "fatal: ", "panic: "}, mark);
  }

  // Living processes of this instance whose command has this name, such as proxymux.
  std::vector<pid_t> Pids(const std::string& command) const;

  int smtp_port() const { return smtp_port_; }
  std::string config_directory() const { return directory_ + "/etc"; }
  std::string queue_directory() const { return directory_ + "/q"; }
  std::string data_directory() const { return directory_ + "/data"; }
  // The default of proxymux's admin.listen.
  std::string AdminSocket() const { return data_directory() + "/proxymux-proxymap.sock"; }
  std::string daemon_directory() const { return directory_ + "/sbin"; }
  std::string mail_directory() const { return directory_ + "/mail"; }
  std::string log_path() const { return directory_ + "/log/maillog"; }
  std::string SocketPath(const std::string& service = "proxymap") const {
    return queue_directory() + "/private/" + service;
  }
  pid_t MasterPid() const;  // 0 when it does not run

 private:
  std::string directory_;
  int smtp_port_;
  Options options_;
};

// The service's binary as this test was given it: $PROXYMUX_BINARY, or proxy/proxymux of its
// runfiles.
std::string ProxymuxBinary();

}  // namespace proxymux::harness
