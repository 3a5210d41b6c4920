// "Did you mean ...?": the known name that a mistyped one was most likely meant to be.
//
// The distance is the number of single-character insertions, deletions, substitutions and swaps
// of neighbours (optimal string alignment), letters compared without case, '-' and '_' alike.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace proxymux::config {

std::size_t EditDistance(std::string_view a, std::string_view b);

// The nearest of `candidates` (the first of several equally near), or an empty string when none is
// near enough to be worth a suggestion: more than a third of the longer name would have to change.
std::string NearestName(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace proxymux::config
