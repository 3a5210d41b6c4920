#include "config/yaml/section_hints.h"

#include <algorithm>

#include "config/values/nearest_name.h"
#include "protocol/table_name.h"

namespace proxymux::config {

std::string_view KindName(const YamlNode& node) {
  switch (node.kind) {
    case YamlKind::kNull:
      return "nothing";
    case YamlKind::kScalar:
      return "a single value";
    case YamlKind::kSequence:
      return "a list";
    case YamlKind::kMapping:
      return "a section";
  }
  return "";
}

std::string DidYouMean(std::string_view word, const std::vector<std::string_view>& names) {
  const std::string nearest = NearestName(word, names);
  return nearest.empty() ? nearest : "did you mean \"" + nearest + "\"?";
}

bool IsGroup(OptionScope scope, std::string_view key) {
  const std::vector<std::string_view> names = OptionNames(scope);
  return std::any_of(names.begin(), names.end(), [key](std::string_view name) {
    return name.size() > key.size() && name.starts_with(key) && name[key.size()] == '.';
  });
}

std::vector<std::string_view> NamesIn(OptionScope scope) {
  std::vector<std::string_view> names = OptionNames(scope);
  for (std::string_view& name : names) name = name.substr(0, name.find('.'));
  return names;
}

std::string AsSection(std::string_view name) {
  return "write it as a section: `" + std::string(name.substr(0, name.find('.'))) + ": {" +
         std::string(name.substr(name.find('.') + 1)) + ": ...}`";
}

std::string WhereItBelongs(std::string_view key) {
  if (FindOption(OptionScope::kPool, key)) return "it belongs in `pool:` or `pools: {NAME: ...}`";
  if (FindOption(OptionScope::kTable, key) || IsGroup(OptionScope::kTable, key)) {
    return "it belongs in `table:` or `tables: {\"pgsql:NAME\": ...}`";
  }
  if (FindOption(OptionScope::kServer, key)) return "it belongs at the top level";
  return {};
}

std::optional<std::string> NormalTableName(std::string_view key) {
  constexpr std::string_view kPgsql = "pgsql:";
  const std::string_view table = protocol::StripProxyPrefixes(key);
  if (!table.starts_with(kPgsql) || table.size() == kPgsql.size()) return std::nullopt;
  return std::string(table);
}

}  // namespace proxymux::config
