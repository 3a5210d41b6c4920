#include "proxy/admin/control.h"

namespace proxymux::proxy {
namespace {

bool IsUnreserved(char c) {  // RFC 3986, 2.3
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~").find(c) != std::string_view::npos;
}

void AppendEncoded(std::string_view text, std::string* out) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (IsUnreserved(c)) {
      *out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    *out += '%';
    *out += kDigits[byte >> 4];
    *out += kDigits[byte & 15];
  }
}

}  // namespace

const std::string* ControlRequest::Find(std::string_view name) const {
  const auto found = arguments.find(name);
  return found == arguments.end() ? nullptr : &found->second;
}

std::string ControlRequest::Target() const {
  std::string target(kControlPath);
  AppendEncoded(command, &target);
  char separator = '?';
  for (const auto& [name, value] : arguments) {
    target += separator;
    AppendEncoded(name, &target);
    target += '=';
    AppendEncoded(value, &target);
    separator = '&';
  }
  return target;
}

unsigned HttpStatusOf(ControlOutcome outcome) {
  switch (outcome) {
    case ControlOutcome::kDone:
      return 200;
    case ControlOutcome::kMalformed:
      return 400;
    case ControlOutcome::kUnknown:
      return 404;
    case ControlOutcome::kRefused:
      return 409;
  }
  return 500;
}

}  // namespace proxymux::proxy
