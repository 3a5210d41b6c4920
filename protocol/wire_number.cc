#include "protocol/wire_number.h"

#include <charconv>
#include <limits>
#include <system_error>

namespace proxymux::protocol {

std::optional<std::uint32_t> ParseWireNumber(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\n\v\f\r");
  if (begin == std::string_view::npos) return std::nullopt;
  text.remove_prefix(begin);
  const bool negative = text.front() == '-';
  if (negative || text.front() == '+') text.remove_prefix(1);

  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const std::from_chars_result read = std::from_chars(text.data(), end, number);
  if (read.ec == std::errc::invalid_argument || read.ptr != end) return std::nullopt;
  if (read.ec == std::errc::result_out_of_range) {
    number = std::numeric_limits<std::uint64_t>::max();  // whatever the sign
  } else if (negative) {
    number = 0 - number;
  }
  return static_cast<std::uint32_t>(number);
}

}  // namespace proxymux::protocol
