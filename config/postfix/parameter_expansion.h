// `$name` in main.cf values, as postconf(5) describes it: `$name`, `${name}`, `$(name)`,
// `${name?text}`, `${name:text}`, `${name?{text}:{text}}`, `${{text} == {text} ? {text} : {text}}`
// and `$$`. `{a} <level {b}` and the like compare compatibility levels. Text that is inserted is
// expanded in turn.
//
// Only for values that postconf(1) cannot give us: when it fails, and for NAME_... settings of
// tables that are defined in main.cf.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace proxymux::config {

// The unexpanded value of a parameter; nothing: no such parameter (expands to nothing).
using ParameterLookup = std::function<std::optional<std::string>(const std::string& name)>;

struct ParameterExpansion {
  std::string text;
  // Empty: fine. Else what was wrong, without a piece of the text, which may be a secret; `text` is
  // then what came of it so far.
  std::string error;
};

// Bounded: references nested deeper than 100 (a parameter that refers to itself) and results over
// 1 MiB are errors.
ParameterExpansion ExpandParameters(std::string_view text, const ParameterLookup& lookup);

}  // namespace proxymux::config
