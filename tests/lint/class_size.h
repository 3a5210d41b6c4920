// How large the classes of a file are, counted from its text. No compiler: macros are not expanded,
// and preprocessor lines count as if they were not there. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tests/lint/source_text.h"

namespace proxymux::lint {

struct ClassSize {
  std::string name;           // "Outer::Inner"
  std::size_t line = 0;       // where its body begins
  std::size_t functions = 0;  // member functions, each overload for itself
  std::size_t data = 0;       // data members
};

// Every class and struct that is defined in the file, in its order; also those in classes and in
// functions, and those without a name (as "").
//
// No functions: constructors, destructors, operators, what is = default or = delete, friends.
// No data: types, aliases, and static members that are constexpr.
std::vector<ClassSize> ClassSizes(const SourceText& source);

}  // namespace proxymux::lint
