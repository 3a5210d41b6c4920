#include "config/postfix/master_cf.h"

#include <algorithm>
#include <utility>

#include "config/postfix/main_cf.h"

namespace proxymux::config {
namespace {

constexpr std::string_view kBlanks = " \t\n\v\f\r";
constexpr std::size_t kFields = 8;  // name type private unpriv chroot wakeup maxproc command
constexpr std::string_view kProxymap = "proxymap";

// The first eight words.
std::vector<std::string> Fields(std::string_view line) {
  std::vector<std::string> fields;
  while (fields.size() < kFields) {
    const std::size_t begin = line.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) break;
    const std::size_t end = std::min(line.find_first_of(kBlanks, begin), line.size());
    fields.emplace_back(line.substr(begin, end - begin));
    line.remove_prefix(end);
  }
  return fields;
}

// ^proxymap.*proxymap in any line, continued or not.
bool NamesStockProxymap(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.starts_with(kProxymap) && line.rfind(kProxymap) > 0) return true;
  }
  return false;
}

}  // namespace

const MasterService* MasterCf::InForce(const std::string& name, const std::string& type) const {
  const auto last = std::find_if(
      services.rbegin(), services.rend(),
      [&](const MasterService& service) { return service.name == name && service.type == type; });
  return last == services.rend() ? nullptr : &*last;
}

MasterCf ParseMasterCf(std::string_view text, const std::string& file) {
  MasterCf result;
  result.file = file;
  result.names_stock_proxymap = NamesStockProxymap(text);
  for (const LogicalLine& logical : ReadLogicalLines(text, file, &result.diagnostics)) {
    std::vector<std::string> fields = Fields(logical.text);
    if (fields.size() < kFields) {
      result.diagnostics.push_back(
          {file, logical.line, 0, Severity::kError,
           "a service with " + std::to_string(fields.size()) + " words: master(8) wants at least 8",
           "name type private unpriv chroot wakeup maxproc command"});
      continue;
    }
    result.services.push_back(
        {std::move(fields[0]), std::move(fields[1]), std::move(fields[7]), logical.line});
  }
  return result;
}

}  // namespace proxymux::config
