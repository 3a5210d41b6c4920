// From a parsed proxymux.yaml to a LoadedConfig: names, kinds and values are checked against the
// option table.
//
// What an error costs:
//   in `tables: {NAME: ...}`  that NAME is in broken_tables;
//   in `pools: {NAME: ...}`   that NAME is in broken_pools;
//   anywhere else             that setting keeps its default, except that an error which could hide
//                             a wish for more security (an option marked `security`, a name that
//                             looks like one, a lost section that mentions one, a `pool:` or
//                             `pools:` that is no mapping) sets all_tables_broken.
// `pool:` and `table:` are read before `pools:` and `tables:`, wherever they stand in the file.
#pragma once

#include <string>

#include "config/yaml/loaded_config.h"
#include "config/yaml/yaml_node.h"

namespace proxymux::config {

LoadedConfig ReadSections(const YamlNode& document, const std::string& file);

}  // namespace proxymux::config
