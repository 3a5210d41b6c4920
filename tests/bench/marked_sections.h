// A Markdown text of which a program writes some sections and people write the rest. Pure.
//
// A section stands between `<!-- NAME: written by WRITER -->` and `<!-- NAME: end -->`, each a line
// of its own. What stands outside is never touched.
#pragma once

#include <string>

namespace proxymux::bench {

struct MarkedSection {
  std::string name;
  std::string writer;  // what a reader runs to have it written anew: "scripts/measure"
};

// `text` with `body` as the section's new content; a section that is not there comes to the end.
// Throws std::runtime_error when a section begins and does not end.
std::string ReplaceSection(const std::string& text, const MarkedSection& section,
                           const std::string& body);

}  // namespace proxymux::bench
