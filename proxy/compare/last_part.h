// The last 32 MiB of a file or a stream, from the beginning of a line on. Blocking.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>

namespace proxymux::proxy {

inline constexpr std::size_t kLastPart = 32 << 20;  // bytes

struct LastPart {
  std::string text;
  bool cut = false;   // there was more before it
  std::string error;  // why there is nothing; empty: there is
};

// "-" is `in`. A compressed file is an error, which says what to do.
LastPart ReadLastPart(const std::string& path, std::istream* in, std::size_t most = kLastPart);

}  // namespace proxymux::proxy
