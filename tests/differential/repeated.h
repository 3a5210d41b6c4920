// A text made long.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace proxymux::differential {

inline std::string Repeated(std::string_view what, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += what;
  return text;
}

}  // namespace proxymux::differential
