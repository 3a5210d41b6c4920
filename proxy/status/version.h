// The release of the program, and what it runs with.
#pragma once

#include <string>

namespace proxymux::proxy {

inline constexpr char kVersion[] = "0.1.0";

struct ProgramVersions {
  std::string build_id;  // hexadecimal; empty: built without
  std::string libpq;
  std::string libuv;
  std::string postfix;  // that it stands in for; empty: none installed
};

// "build id 5f3c, libpq 15.13, libuv 1.44.2, Postfix 3.7".
std::string VersionsText(const ProgramVersions& versions);

}  // namespace proxymux::proxy
