// A parsed YAML document as plain values with positions: what yaml_loader makes of the text and
// config_sections reads. No anchors, no tags; key order and duplicate keys are kept as written.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace proxymux::config {

enum class YamlKind { kNull, kScalar, kSequence, kMapping };

struct YamlNode {
  YamlKind kind = YamlKind::kNull;
  int line = 0;  // from 1
  int column = 0;
  std::string scalar;
  std::vector<YamlNode> items;                         // of a sequence
  std::vector<std::pair<YamlNode, YamlNode>> members;  // of a mapping
};

}  // namespace proxymux::config
