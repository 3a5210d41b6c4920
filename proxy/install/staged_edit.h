// What runs of postconf(1) make of main.cf and master.cf, tried on copies that are gone again when
// the texts are there. Blocking: runs programs. Root only.
#pragma once

#include <string>
#include <variant>

#include "proxy/install/config_file.h"
#include "proxy/install/switch_plan.h"

namespace proxymux::proxy {

struct StagedEdit {
  std::string main_cf;
  std::string master_cf;
  // As diff(1) tells it, without the lines that stay: they may hold passwords. Each line can be
  // shown on a terminal. Empty: nothing changes.
  std::string difference;
};

// The text is what went wrong.
std::variant<StagedEdit, std::string> StageEdit(const ConfigFile& main_cf,
                                                const ConfigFile& master_cf,
                                                const PostconfRuns& runs,
                                                const std::string& command_directory);

}  // namespace proxymux::proxy
