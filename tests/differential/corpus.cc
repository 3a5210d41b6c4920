#include "tests/differential/corpus.h"

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "tests/harness/installed_postfix.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::differential {
namespace {

constexpr std::string_view kFindsNothingBefore = "finds nothing before ";

void Apply(const std::string& directive, CorpusTable& entry) {
  DifferentialTable& table = entry.table;
  if (directive == "order undefined") {
    table.row_order_defined = false;
  } else if (directive == "plan decides") {
    table.plan_decides = true;
  } else if (directive == "keys few") {
    entry.few_keys = true;
  } else if (directive.starts_with("key ")) {
    entry.keys.push_back(directive.substr(4));
  } else if (directive.starts_with("trait ")) {
    table.traits.insert(directive.substr(6));
  } else if (directive == "in main.cf") {
    table.name = table.name.substr(0, table.name.find('.'));
  } else if (directive == "finds nothing") {
    entry.finds_nothing = true;
  } else if (directive.starts_with(kFindsNothingBefore)) {
    const auto release = harness::ReadRelease(directive.substr(kFindsNothingBefore.size()));
    entry.finds_nothing = harness::TheInstalledPostfix().release < release;
  } else if (directive == "malformed") {
    table.malformed = true;
  } else if (directive == "needs ipv6") {
    entry.needs_ipv6 = true;
  } else if (directive == "missing") {
    table.text.clear();
  } else {
    throw std::runtime_error(table.name + ": unknown directive: " + directive);
  }
}

}  // namespace

Corpus ReadCorpus(const std::string& directory) {
  std::vector<std::filesystem::path> paths;
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    paths.push_back(file.path());
  }
  std::sort(paths.begin(), paths.end());
  Corpus corpus;
  for (const auto& path : paths) {
    const std::string name = path.filename(), text = harness::ReadFile(path);
    if (path.extension() != ".cf") {
      corpus.files.push_back({name, text});
      continue;
    }
    CorpusTable entry;
    entry.table.name = name;
    entry.table.text = text;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("#@ ")) Apply(line.substr(3), entry);
    }
    corpus.tables.push_back(entry);
  }
  return corpus;
}

}  // namespace proxymux::differential
