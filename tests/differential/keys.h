// The fixed list of keys that both sides are asked for, with everything that has a reason to go
// wrong somewhere.
//
// Bytes 1 to 255, never NUL, which the wire cannot carry, and never empty. Names that begin with
// "hit" are keys that schema.sql has rows for, exactly so or folded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace proxymux::differential {

struct NamedKey {
  std::string name;  // short, for messages; each once
  std::string text;
};

// Some 350, the same at every call.
const std::vector<NamedKey>& FixedKeys();

// In one line and to be pasted into a shell's $'...': \xNN for what is not printable, \' and \\.
std::string EscapedKey(std::string_view key);

}  // namespace proxymux::differential
