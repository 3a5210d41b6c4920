// What is wrong with a setting of a table file, and where in its value.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace proxymux::pgsql {

struct SettingFault {
  std::string setting;                  // "query"
  std::string text;                     // what is wrong and what to write instead; no secret
  std::optional<std::size_t> offset{};  // bytes into the value; none: it is about all of it

  // "query: character 12: text".
  std::string ToString() const;
};

}  // namespace proxymux::pgsql
