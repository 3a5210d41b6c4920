// The running service that a control command is for, found by what its options and Postfix's
// configuration say (ChooseAdmin, proxy/admin), and what it answers.
//
// What goes wrong is told on standard error, in the words of the program.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <utility>

#include "proxy/admin/admin_choice.h"
#include "proxy/admin/admin_client.h"
#include "proxy/admin/control.h"
#include "proxy/cli/config_directory.h"

namespace proxymux::proxy {

struct CtlTarget {
  std::string config_directory = DefaultConfigDirectory();
  std::string service_name;  // in master.cf; empty: the only one
  std::string socket;        // empty: where the configuration says

  void AddOptions(CLI::App* command);
};

class CtlService {
 public:
  // Nothing: there are several, or the configuration cannot be read. Blocking: runs postconf(1).
  static std::optional<CtlService> Find(const CtlTarget& target);

  // One document; nothing: nobody answers, or what answers has none.
  std::optional<std::string> Get(const std::string& path) const;
  // Has something done, and tells what came of it: the exit status.
  int Do(const ControlRequest& request) const;

 private:
  CtlService(CtlTarget target, ChosenAdmin chosen, std::string queue_directory)
      : target_(std::move(target)),
        chosen_(std::move(chosen)),
        queue_directory_(std::move(queue_directory)) {}

  void TellWhyNobody(const AdminClientError& error) const;

  CtlTarget target_;
  ChosenAdmin chosen_;
  std::string queue_directory_;
};

}  // namespace proxymux::proxy
