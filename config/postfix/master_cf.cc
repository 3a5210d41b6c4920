#include "config/postfix/master_cf.h"

#include <algorithm>
#include <utility>

#include "config/postfix/list_elements.h"
#include "config/postfix/main_cf.h"

namespace proxymux::config {
namespace {

constexpr std::string_view kBlanks = " \t\n\v\f\r";
constexpr std::size_t kFields = 8;  // name type private unpriv chroot wakeup maxproc command
constexpr std::string_view kProxymap = "proxymap";

// Takes the next argument off the front of *rest: a word, or what stands in braces.
std::string_view NextArgument(std::string_view* rest) {
  const std::size_t begin = std::min(rest->find_first_not_of(kBlanks), rest->size());
  std::size_t end = begin;
  for (int level = 0; end < rest->size(); ++end) {
    const char c = (*rest)[end];
    if (level == 0 && kBlanks.find(c) != std::string_view::npos) break;
    if (c == '{') ++level;
    if (c == '}' && level > 0) --level;
  }
  const std::string_view argument = rest->substr(begin, end - begin);
  rest->remove_prefix(end);
  return argument;
}

// The first eight words; *rest is what follows them.
std::vector<std::string> TakeFields(std::string_view* rest) {
  std::vector<std::string> fields;
  while (fields.size() < kFields) {
    const std::size_t begin = rest->find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) break;
    const std::size_t end = std::min(rest->find_first_of(kBlanks, begin), rest->size());
    fields.emplace_back(rest->substr(begin, end - begin));
    rest->remove_prefix(end);
  }
  return fields;
}

std::string_view Trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// The overrides among the arguments of a command; what is no option ends them, as for getopt(3).
std::vector<MasterOverride> Overrides(const LogicalLine& logical, std::string_view arguments) {
  std::vector<MasterOverride> overrides;
  const char* const begin = logical.text.data();
  while (true) {
    const std::string_view word = NextArgument(&arguments);
    if (!word.starts_with('-') || word == "--") return overrides;
    if (!word.starts_with("-o")) continue;
    std::string_view setting = word == "-o" ? NextArgument(&arguments) : word.substr(2);
    const int line = logical.place.LineAt(static_cast<std::size_t>(setting.data() - begin));
    if (setting.starts_with('{')) setting = InsideBraces(setting).value_or(setting.substr(1));
    const std::size_t equals = setting.find('=');
    if (equals == std::string_view::npos) continue;
    overrides.push_back({std::string(Trim(setting.substr(0, equals))),
                         std::string(Trim(setting.substr(equals + 1))), line});
  }
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
    std::string_view rest = logical.text;
    std::vector<std::string> fields = TakeFields(&rest);
    if (fields.size() < kFields) {
      result.diagnostics.push_back(
          {file, logical.place.line, 0, Severity::kError,
           "a service with " + std::to_string(fields.size()) + " words: master(8) wants at least 8",
           "name type private unpriv chroot wakeup maxproc command"});
      continue;
    }
    MasterService& service = result.services.emplace_back();
    std::string* const places[kFields] = {
        &service.name,   &service.type,   &service.private_,      &service.unprivileged,
        &service.chroot, &service.wakeup, &service.process_limit, &service.command};
    for (std::size_t i = 0; i < kFields; ++i) *places[i] = std::move(fields[i]);
    service.arguments = std::string(Trim(rest));
    service.overrides = Overrides(logical, rest);
    service.line = logical.place.line;
  }
  return result;
}

}  // namespace proxymux::config
