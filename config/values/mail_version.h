// The Postfix release that we stand in for: some settings are read, or have another default, only
// from a certain release on.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace proxymux::config {

struct MailVersion {
  int major = 3;
  int minor = 7;

  friend auto operator<=>(const MailVersion&, const MailVersion&) = default;
  std::string ToString() const;  // "3.7"
};

// From $mail_version: "3.7.11", "3.12-20260821", "3.9-RC1". Nothing when it is no version.
std::optional<MailVersion> ParseMailVersion(std::string_view text);

}  // namespace proxymux::config
