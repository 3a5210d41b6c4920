// `$name` in main.cf values, as postconf(5) describes it: `$name`, `${name}`, `$(name)`,
// `${name?text}`, `${name:text}`, `${name?{text}:{text}}`, `${{text} == {text} ? {text} : {text}}`
// `${function{text}}` (domain_functions.h) and `$$`. `{a} <level {b}` and the like compare
// compatibility levels. Text that is inserted is expanded in turn.
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

inline constexpr char kMissing = '\x01';

struct ParameterExpansion {
  std::string text;
  // Empty: fine. Else the first thing that was wrong, without a piece of the text, which may be a
  // secret. `text` then has kMissing in the place of each reference that cannot be expanded: of a
  // list the elements without it are as they were meant.
  std::string error;
};

// Bounded: a parameter that refers to itself, references nested deeper than 100, more than 100,000
// references and results over 1 MiB are errors. After the last two the rest of the text is missing
// as well, from within the element that it broke off in.
ParameterExpansion ExpandParameters(std::string_view text, const ParameterLookup& lookup);

}  // namespace proxymux::config
