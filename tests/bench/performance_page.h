// docs/performance.md and the data beside it: what was measured comes into marked sections of the
// page, one for each part, and as tab-separated files into performance/. Everything else in the
// page is written by people. Each part is written as soon as it is there.
//
// Without a directory the sections go to standard output.
#pragma once

#include <string>
#include <vector>

namespace proxymux::bench {

class PerformancePage {
 public:
  explicit PerformancePage(std::string docs_directory) : docs_(std::move(docs_directory)) {}

  // Throws std::runtime_error when it cannot be written.
  void Write(const std::string& section, const std::string& body) const;
  void WriteData(const std::string& name, const std::string& tsv) const;

  // What failed, as a list to stand below a table; empty: nothing did.
  static std::string FailureList(const std::vector<std::string>& failures);

 private:
  std::string docs_;
};

}  // namespace proxymux::bench
