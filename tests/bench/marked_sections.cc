#include "tests/bench/marked_sections.h"

#include <stdexcept>

namespace proxymux::bench {

std::string ReplaceSection(const std::string& text, const MarkedSection& section,
                           const std::string& body) {
  const std::string begin = "<!-- " + section.name + ": written by " + section.writer + " -->\n";
  const std::string end = "<!-- " + section.name + ": end -->\n";
  const std::string whole = begin + body + (body.ends_with('\n') ? "" : "\n") + end;
  const std::size_t from = text.find(begin);
  if (from == std::string::npos) {
    const bool apart = text.empty() || text.ends_with("\n\n");
    return text + (apart ? "" : text.ends_with('\n') ? "\n" : "\n\n") + whole;
  }
  const std::size_t to = text.find(end, from);
  if (to == std::string::npos)
    throw std::runtime_error("section " + section.name + " does not end");
  return text.substr(0, from) + whole + text.substr(to + end.size());
}

}  // namespace proxymux::bench
