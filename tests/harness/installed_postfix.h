// The Postfix of this machine, as postconf(1) tells it: what tests expect of stock, and how its
// clients speak, follows from its release.
#pragma once

#include <compare>
#include <string>

#include "protocol/dialect.h"

namespace proxymux::harness {

struct PostfixRelease {
  int major = 0;
  int minor = 0;

  auto operator<=>(const PostfixRelease&) const = default;
};

struct InstalledPostfix {
  PostfixRelease release;
  protocol::Dialect dialect;     // that its own clients speak
  std::string daemon_directory;  // by default, whatever its main.cf says
};

// Asked once in a process. Throws std::runtime_error when no Postfix is installed.
const InstalledPostfix& TheInstalledPostfix();

}  // namespace proxymux::harness
