// Reads proxymux.yaml. The only file that knows yaml-cpp.
//
// The file is optional: absent means every default, without a diagnostic. All errors are reported
// at once, each with file:line:column. A text over kMaxConfigBytes, nested deeper than
// kMaxConfigDepth, with anchors, aliases, tags or a second document is refused.
// What an error costs is told in loaded_config.h and config_sections.h. Throws nothing.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "config/yaml/loaded_config.h"

namespace proxymux::config {

inline constexpr std::size_t kMaxConfigBytes = 1 << 20;
inline constexpr int kMaxConfigDepth = 16;

// `file` is only for the diagnostics.
LoadedConfig LoadConfigText(std::string_view text, const std::string& file);

// Reads the file at `path`. A file that is there and cannot be read is an error, and since it may
// have asked for TLS, all_tables_broken.
LoadedConfig LoadConfigFile(const std::string& path);

}  // namespace proxymux::config
