// The value of one option: from text, to text, and what may be written.
//
// Works on whichever struct holds the option's member (option_table.h); a struct of another scope
// is refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/values/server_config.h"
#include "config/yaml/option_table.h"

namespace proxymux::config {

// Sets the option from text. Returns nothing when that went well, or what was expected; the struct
// is then unchanged. The struct must be the one of the option's scope.
std::optional<std::string> SetOption(const Option& option, std::string_view text, ServerConfig* to);
std::optional<std::string> SetOption(const Option& option, std::string_view text, PoolSettings* to);
std::optional<std::string> SetOption(const Option& option, std::string_view text,
                                     TableSettings* to);

// The value as SetOption would read it back.
std::string OptionText(const Option& option, const ServerConfig& from);
std::string OptionText(const Option& option, const PoolSettings& from);
std::string OptionText(const Option& option, const TableSettings& from);

// "duration (ms, s, m, h, d)", "one of in_flight, off", ...: what may be written, with its bounds.
std::string DescribeType(const Option& option);

}  // namespace proxymux::config
