// The answers of a program that reads keys from standard input, one a line, as `postmap -q - TABLE`
// does, and writes "key TAB value" for those that it finds. Such a program ends at the first key
// that it has no answer for, and does not say which: then it is asked again for halves of the keys.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/postfix/program_output.h"

namespace proxymux::proxy {

struct KeyAnswer {
  enum class Kind {
    kFound,
    kNotFound,
    kError,     // the program says so of this key
    kNotAsked,  // too many errors before it
  };
  Kind kind = Kind::kNotAsked;
  std::string text;  // the value, or the program's last words on the error

  friend bool operator==(const KeyAnswer&, const KeyAnswer&) = default;
};

// What a run of the program gives; `input` is one key a line.
using RunWithKeys = std::function<config::ProgramOutput(const std::string& input)>;

// One for each key. `error_word` is what the program's standard error has when it ended at a key:
// that line, and those before it, are the error. At most `most_errors` keys are looked for that it
// ends at.
std::vector<KeyAnswer> AnswersOf(const std::vector<std::string>& keys, const RunWithKeys& run,
                                 std::string_view error_word, std::size_t most_errors = 20);

}  // namespace proxymux::proxy
