#include "config/postfix/used_tables.h"

#include <algorithm>
#include <optional>

#include "config/postfix/list_elements.h"
#include "protocol/table_name.h"

namespace proxymux::config {
namespace {

using Way = TableUse::Way;

constexpr int kDeepest = 20;

// The type of "TYPE:NAME"; empty: it is no table.
std::string_view TypeOf(std::string_view element) {
  const std::size_t colon = element.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == element.size()) return {};
  const std::string_view type = element.substr(0, colon);
  const bool is_word = std::ranges::all_of(
      type, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
  return is_word ? type : std::string_view();
}

class UseReader {
 public:
  std::vector<TableUse> Read(std::string_view value) {
    Elements(value, Way::kDirect, 0);
    return std::move(uses_);
  }

 private:
  void Elements(std::string_view text, Way way, int depth) {
    if (depth > kDeepest) return;
    for (std::string_view element = NextElement(&text); !element.empty();
         element = NextElement(&text)) {
      Element(element, way, depth);
    }
  }

  void Element(std::string_view element, Way way, int depth) {
    if (element.starts_with('{')) {
      if (const auto inside = InsideBraces(element)) Elements(*inside, way, depth + 1);
      return;
    }
    while (element.starts_with('!')) element.remove_prefix(1);
    if (element.starts_with(protocol::kProxyPrefix)) {
      const std::string_view table = protocol::StripProxyPrefixes(element);
      if (TypeOf(table).empty()) return;
      uses_.push_back({std::string(table), Way::kProxied});
      Parts(table, Way::kWithinProxy, depth);
      return;
    }
    const std::string_view type = TypeOf(element);
    if (type.empty() || type == "inline" || type == "static" || type == "randmap") return;
    if (!Parts(element, way, depth)) uses_.push_back({std::string(element), way});
  }

  // The tables that a table is composed of; false when it is not.
  bool Parts(std::string_view table, Way way, int depth) {
    const std::string_view type = TypeOf(table);
    const std::string_view name = table.substr(type.size() + 1);
    if (type == "debug") {
      Element(name, way, depth + 1);
      return true;
    }
    if (type != "pipemap" && type != "unionmap") return false;
    if (const auto inside = InsideBraces(name)) Elements(*inside, way, depth + 1);
    return true;
  }

  std::vector<TableUse> uses_;
};

}  // namespace

std::vector<TableUse> UsedTables(std::string_view value) { return UseReader().Read(value); }

}  // namespace proxymux::config
