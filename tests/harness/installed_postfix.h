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

// "3.7.11", or "3.12-20260101" of a snapshot. Throws std::runtime_error for anything else.
PostfixRelease ReadRelease(const std::string& version);

struct InstalledPostfix {
  PostfixRelease release;
  protocol::Dialect dialect;     // that its own clients speak
  std::string daemon_directory;  // by default, whatever its main.cf says
};

// Asked once in a process. Throws std::runtime_error when no Postfix is installed.
const InstalledPostfix& TheInstalledPostfix();

}  // namespace proxymux::harness
