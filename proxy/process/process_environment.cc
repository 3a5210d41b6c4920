#include "proxy/process/process_environment.h"

#include <unistd.h>

#include <cstdlib>

namespace proxymux::proxy {
namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kSeparators = ", \t\r\n";

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// The next entry, without its braces; `list` loses it. Empty at the end.
std::string_view TakeEntry(std::string_view* list) {
  const std::size_t begin = list->find_first_not_of(kSeparators);
  if (begin == std::string_view::npos) return {};
  list->remove_prefix(begin);
  const bool braced = list->starts_with('{');
  const std::size_t end = braced ? list->find('}') : list->find_first_of(kSeparators);
  const std::string_view entry = list->substr(braced ? 1 : 0, end - (braced ? 1 : 0));
  list->remove_prefix(end == std::string_view::npos ? list->size() : end + (braced ? 1 : 0));
  return braced ? Trim(entry) : entry;
}

}  // namespace

Environment ImportedEnvironment(std::string_view import_environment, const Environment& from) {
  Environment imported;
  for (std::string_view entry = TakeEntry(&import_environment); !entry.empty();
       entry = TakeEntry(&import_environment)) {
    const std::size_t equals = entry.find('=');
    const std::string name(Trim(entry.substr(0, equals)));
    if (name.empty()) continue;
    if (equals != std::string_view::npos) {
      imported[name] = Trim(entry.substr(equals + 1));
    } else if (const auto found = from.find(name); found != from.end()) {
      imported[name] = found->second;
    }
  }
  return imported;
}

Environment ProcessEnvironment() {
  Environment variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
      variables.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return variables;
}

void SetProcessEnvironment(const Environment& environment) {
  clearenv();
  for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
}

}  // namespace proxymux::proxy
