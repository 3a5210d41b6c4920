// Names that an administrator wrote, fit to be shown: a connection URI may stand where a name
// should.
#pragma once

#include <string>
#include <string_view>

namespace proxymux::config {

// `text` with "..." for what may be a user and a password in it: what stands between "//" and the
// last '@'; without "//", what stands before the last '@' when a ':' is in it.
std::string WithoutSecrets(std::string_view text);

}  // namespace proxymux::config
