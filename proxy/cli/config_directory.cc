#include "proxy/cli/config_directory.h"

#include <cstdlib>

namespace proxymux::proxy {

std::string DefaultConfigDirectory() {
  const char* given = std::getenv("MAIL_CONFIG");
  return given != nullptr && *given != '\0' ? given : "/etc/postfix";
}

}  // namespace proxymux::proxy
