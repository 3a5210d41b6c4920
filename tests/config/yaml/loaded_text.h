// A text loaded as proxymux.yaml is, and what is said of it.
#pragma once

#include <string>
#include <string_view>

#include "config/yaml/yaml_loader.h"
#include "tests/config/values/messages.h"

namespace proxymux::config {

inline LoadedConfig Load(std::string_view text) { return LoadConfigText(text, "p.yaml"); }

inline bool Has(const LoadedConfig& loaded, std::string_view text) {
  return Messages(loaded).find(text) != std::string::npos;
}

}  // namespace proxymux::config
