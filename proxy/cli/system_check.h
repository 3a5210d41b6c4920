// `proxymux check` as a whole: everything that the service, and Postfix for it, would read; then
// what servers say to it. Changes nothing but the process itself: the working directory becomes
// queue_directory, since relative names in table files mean the same as in the service, and root
// becomes mail_owner before any server is asked.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proxy/check/findings.h"
#include "proxy/check/table_check.h"
#include "proxy/survey/server_check.h"

namespace proxymux::proxy {

class SystemCheck {
 public:
  explicit SystemCheck(const std::string& config_directory);
  ~SystemCheck();
  SystemCheck(const SystemCheck&) = delete;
  SystemCheck& operator=(const SystemCheck&) = delete;

  // main.cf, master.cf, proxymux.yaml, every approved pgsql table, and, for root only, who can read
  // the files that they name.
  void CheckFiles();
  // Behind CheckFiles(): every host of every pool.
  void AskServers();

  const Findings& findings() const { return findings_; }
  std::size_t tables() const { return tables_.size(); }
  bool readers_checked() const { return readers_checked_; }
  const std::vector<CheckedServer>& servers() const { return servers_; }
  const std::string& user() const { return user_; }  // who asked them, for people

 private:
  class Pools;

  const std::string config_directory_;
  Findings findings_;
  std::unique_ptr<Pools> pools_;
  std::vector<CheckedTable> tables_;
  std::string mail_owner_;
  int stock_processes_ = 0;
  bool readers_checked_ = false;
  std::vector<CheckedServer> servers_;
  std::string user_;
};

}  // namespace proxymux::proxy
