#include "proxy/text/shown_text.h"

#include <fmt/format.h>

#include "proxy/text/utf8.h"

namespace proxymux::proxy {
namespace {

// The length of the UTF-8 character that `text` begins with; 0 when it begins with none.
std::size_t CharacterLength(std::string_view text) {
  for (std::size_t length = 1; length <= 4 && length <= text.size(); ++length) {
    if (IsValidUtf8(text.substr(0, length))) return length;
  }
  return 0;
}

// C1 control characters (U+0080 to U+009F) steer some terminals as the ASCII ones do.
bool IsControl(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  return first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
}

void AppendEscaped(std::string_view text, std::string_view also_escaped, std::string* out) {
  while (!text.empty()) {
    const std::size_t length = CharacterLength(text);
    const std::string_view character = text.substr(0, length == 0 ? 1 : length);
    if (character == "\n") {
      *out += "\\n";
    } else if (character == "\t") {
      *out += "\\t";
    } else if (length == 0 || IsControl(character)) {
      for (const char byte : character) {
        *out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
      }
    } else {
      if (also_escaped.find(character) != std::string_view::npos) *out += '\\';
      *out += character;
    }
    text.remove_prefix(character.size());
  }
}

// Not in the middle of a character.
std::string_view Beginning(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  while (end > 0 && limit - end < 4 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
    --end;
  }
  return text.substr(0, end);
}

std::string Rest(std::size_t shown, std::size_t bytes) {
  return bytes > shown ? fmt::format("... ({} bytes)", bytes) : "";
}

}  // namespace

std::string QuotedText(std::string_view text, std::size_t limit, std::size_t bytes) {
  const std::string_view shown = Beginning(text, limit);
  std::string quoted = "\"";
  AppendEscaped(shown, "\"\\", &quoted);
  return quoted + "\"" + Rest(shown.size(), bytes > text.size() ? bytes : text.size());
}

std::string ShownText(std::string_view text, std::size_t limit) {
  const std::string_view beginning = Beginning(text, limit);
  std::string shown;
  AppendEscaped(beginning, "", &shown);
  return shown + Rest(beginning.size(), text.size());
}

}  // namespace proxymux::proxy
