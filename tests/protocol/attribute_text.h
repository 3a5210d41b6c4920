// Attribute lists from what a test says, and in a form that it can read.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/attribute_codec.h"

namespace proxymux::protocol {

// An attribute list as a client sends it.
inline std::string List(const std::vector<std::pair<std::string, std::string>>& attributes) {
  std::string list;
  for (const auto& [name, value] : attributes) AppendAttribute(name, value, &list);
  AppendListEnd(&list);
  return list;
}

// The lists in a readable form, a line each: "status=0 value=box1".
inline std::string Shown(std::string_view bytes) {
  std::string shown;
  while (!bytes.empty()) {
    AttributeDecoder decoder(16 << 20);
    AttributeList list;
    std::size_t size = 0;
    if (decoder.Decode(bytes, &list, &size) != AttributeDecoder::Result::kList) {
      return shown + "(incomplete)";
    }
    if (!shown.empty()) shown += '\n';
    for (std::size_t i = 0; i < list.kept(); ++i) {
      if (i > 0) shown += ' ';
      shown += std::string(list[i].name) + "=" + std::string(list[i].value);
    }
    bytes.remove_prefix(size);
  }
  return shown;
}

}  // namespace proxymux::protocol
