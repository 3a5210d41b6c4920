#include "tests/differential/keys.h"

#include <array>
#include <cstdio>
#include <utility>

#include "tests/differential/encoding_keys.h"
#include "tests/differential/repeated.h"
#include "tests/differential/schema_keys.h"
#include "tests/differential/written_keys.h"

namespace proxymux::differential {
namespace {

std::vector<NamedKey> AllKeys() {
  std::vector<NamedKey> keys = SchemaKeys();
  for (NamedKey& key : WrittenKeys()) keys.push_back(std::move(key));
  for (NamedKey& key : EncodingKeys()) keys.push_back(std::move(key));
  for (int byte = 1; byte < 32; ++byte) {
    std::string text = "user1@example1.com";
    // At every third place, so that the start, the inside and the end all occur.
    text.insert(static_cast<std::size_t>(byte % 3) * text.size() / 2, 1, static_cast<char>(byte));
    keys.push_back({"control-" + std::to_string(byte), text});
  }
  keys.push_back({"control-127", "user1\x7f@example1.com"});
  keys.push_back({"length-1", "x"});
  keys.push_back({"length-63", Repeated("a", 63)});
  keys.push_back({"length-64-user", Repeated("a", 64) + "@example1.com"});
  keys.push_back({"length-255", "user1@" + Repeated("example1.", 27) + "example"});
  keys.push_back({"length-1000", Repeated("x'\\", 330) + "@example1.com"});
  keys.push_back({"length-2000-ats", Repeated("@", 2000)});
  keys.push_back({"length-2000-utf8", Repeated("é", 994) + "@example1.com"});
  keys.push_back({"length-3000-labels", "u@" + Repeated("a.", 1500)});
  keys.push_back({"length-4095", Repeated("y", 4082) + "@example1.com"});
  keys.push_back({"length-8000", Repeated("user1.", 1331) + "@example1.com"});
  keys.push_back({"length-8000-apostrophes", Repeated("'", 8000)});
  return keys;
}

}  // namespace

const std::vector<NamedKey>& FixedKeys() {
  static const std::vector<NamedKey> keys = AllKeys();
  return keys;
}

std::string EscapedKey(std::string_view key) {
  std::string text;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\'' || c == '\\') {
      text += '\\';
      text += c;
    } else if (byte >= 0x20 && byte < 0x7f) {
      text += c;
    } else {
      std::array<char, 5> hex;
      std::snprintf(hex.data(), hex.size(), "\\x%02x", static_cast<unsigned>(byte));
      text += hex.data();
    }
  }
  return text;
}

}  // namespace proxymux::differential
