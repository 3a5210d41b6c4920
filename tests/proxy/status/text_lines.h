// A text, line by line.
#pragma once

#include <sstream>
#include <string>
#include <vector>

namespace proxymux::proxy {

inline std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace proxymux::proxy
