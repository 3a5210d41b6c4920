#include "proxy/text/terminal_width.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "proxy/text/text_grid.h"

namespace proxymux::proxy {
namespace {

constexpr std::size_t kUsualWidth = 80;  // of a terminal that does not tell

// 0 when it is no number.
std::size_t Number(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

}  // namespace

std::size_t OutputWidth(int descriptor, const char* columns) {
  const std::size_t wanted = columns == nullptr ? 0 : Number(columns);
  if (wanted > 0) return std::max(wanted, kLeastWidth);
  if (isatty(descriptor) == 0) return kUnlimitedWidth;
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsualWidth;
  return std::max<std::size_t>(size.ws_col, kLeastWidth);
}

}  // namespace proxymux::proxy
