// The configuration as text, for people.
//
// Both outputs are YAML that proxymux itself reads back. proxymux.yaml holds no passwords (those
// stand in the table files), so neither output does.
#pragma once

#include <string>

#include "config/values/server_config.h"

namespace proxymux::config {

// `proxymux config show`: every value in effect; those that differ from their default are marked
// with a comment. Loading the text gives an equal ServerConfig.
std::string RenderConfig(const ServerConfig& config);

// `proxymux config reference`: every option with its meaning, type, default and whether a reload
// takes it up, each commented out at its default.
std::string RenderReference();

}  // namespace proxymux::config
