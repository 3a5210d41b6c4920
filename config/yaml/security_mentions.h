// Whether a part of proxymux.yaml that is not understood could hide a wish for more security: an
// option marked `security`, or a name that looks like one. Pure.
#pragma once

#include <string_view>

#include "config/yaml/yaml_node.h"

namespace proxymux::config {

// True when `text` holds, in any place and case, the name of an option marked `security`.
bool MentionsSecurityOption(std::string_view text);

// A key that may have been meant for a security option, though it is none.
bool LooksLikeSecurityOption(std::string_view key);

// Either of these, anywhere in it.
bool Mentions(const YamlNode& node);

}  // namespace proxymux::config
