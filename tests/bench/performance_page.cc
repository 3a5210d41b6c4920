#include "tests/bench/performance_page.h"

#include <filesystem>
#include <iostream>

#include "tests/bench/marked_sections.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::bench {

void PerformancePage::Write(const std::string& section, const std::string& body) const {
  if (docs_.empty()) {
    std::cout << body << std::endl;
    return;
  }
  const std::string file = docs_ + "/performance.md";
  harness::WriteFile(file,
                     ReplaceSection(harness::ReadFile(file), {section, "scripts/measure"}, body));
}

void PerformancePage::WriteData(const std::string& name, const std::string& tsv) const {
  if (docs_.empty()) return;
  const std::string directory = docs_ + "/performance";
  std::filesystem::create_directories(directory);
  harness::WriteFile(directory + "/" + name + ".tsv", tsv);
}

std::string PerformancePage::FailureList(const std::vector<std::string>& failures) {
  if (failures.empty()) return "";
  std::string text = "\nNot measured:\n\n";
  for (const std::string& failure : failures) text += "- " + failure + "\n";
  return text;
}

}  // namespace proxymux::bench
