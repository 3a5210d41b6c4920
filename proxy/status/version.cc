#include "proxy/status/version.h"

namespace proxymux::proxy {

std::string VersionsText(const ProgramVersions& versions) {
  std::string text = "build id " + (versions.build_id.empty() ? "unknown" : versions.build_id);
  text += ", libpq " + versions.libpq + ", libuv " + versions.libuv;
  text += versions.postfix.empty() ? ", no Postfix" : ", Postfix " + versions.postfix;
  return text;
}

}  // namespace proxymux::proxy
