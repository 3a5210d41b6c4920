#include "pgsql/table/setting_fault.h"

namespace proxymux::pgsql {

std::string SettingFault::ToString() const {
  std::string where = setting + ": ";
  if (offset.has_value()) where += "character " + std::to_string(*offset + 1) + ": ";
  return where + text;
}

}  // namespace proxymux::pgsql
