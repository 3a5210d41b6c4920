#include "config/values/mail_version.h"

#include <charconv>

namespace proxymux::config {

std::string MailVersion::ToString() const {
  return std::to_string(major) + '.' + std::to_string(minor);
}

std::optional<MailVersion> ParseMailVersion(std::string_view text) {
  MailVersion version;
  const char* const end = text.data() + text.size();
  const auto [dot, major_error] = std::from_chars(text.data(), end, version.major);
  if (major_error != std::errc{} || dot == end || *dot != '.' || version.major < 0) {
    return std::nullopt;
  }
  const auto [rest, minor_error] = std::from_chars(dot + 1, end, version.minor);
  if (minor_error != std::errc{} || version.minor < 0) return std::nullopt;
  // The patch level or the date of a snapshot may follow; neither matters to us.
  if (rest != end && *rest != '.' && *rest != '-') return std::nullopt;
  return version;
}

}  // namespace proxymux::config
