// What `proxymux lookup` was asked.
#pragma once

#include <string>

namespace proxymux::proxy {

struct LookupOptions {
  std::string config_directory;  // of main.cf and proxymux.yaml; either may be missing
  std::string key;               // "-": keys from standard input, one a line
  std::string table;             // "pgsql:/path", "pgsql:name", perhaps behind "proxy:"
  bool explain = false;          // a report for each key instead of its value
  bool fold = true;              // as postmap without -f
  bool utf8 = true;              // as postmap without -u
};

}  // namespace proxymux::proxy
