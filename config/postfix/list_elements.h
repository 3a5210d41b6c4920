// The elements of a list in main.cf: between commas and white space, what stands in braces kept
// whole. Pure.
#pragma once

#include <optional>
#include <string_view>

namespace proxymux::config {

// Takes the next element off the front of *rest; separators inside braces do not end it. Empty when
// there is none left.
std::string_view NextElement(std::string_view* rest);

// What the braces around `text` hold; nothing when it does not end with the brace that closes the
// first one.
std::optional<std::string_view> InsideBraces(std::string_view text);

}  // namespace proxymux::config
