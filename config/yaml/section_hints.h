// What is said of a setting of proxymux.yaml that is not where, or what, it should be. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/yaml/option_table.h"
#include "config/yaml/yaml_node.h"

namespace proxymux::config {

// "a list", "a section", ...
std::string_view KindName(const YamlNode& node);

// Empty when no name is near.
std::string DidYouMean(std::string_view word, const std::vector<std::string_view>& names);

// Whether `key` is a section within its scope: `a` of the setting "a.b".
bool IsGroup(OptionScope scope, std::string_view key);

// The names that may stand in a scope: settings, and sections once for each of their settings.
std::vector<std::string_view> NamesIn(OptionScope scope);

// `a.b` on one line is no setting.
std::string AsSection(std::string_view name);

// Where in the file a pool or table setting of this name belongs, when it stands somewhere else.
std::string WhereItBelongs(std::string_view key);

// "pgsql:NAME" without leading "proxy:", or nothing.
std::optional<std::string> NormalTableName(std::string_view key);

}  // namespace proxymux::config
