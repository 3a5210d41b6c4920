#include "tests/differential/comparison_report.h"

#include <sstream>

#include "tests/differential/answered.h"

namespace proxymux::differential {

std::string Describe(const Disagreement& disagreement) {
  return disagreement.between + "\n  table " + disagreement.table + ", key \"" +
         Escaped(disagreement.key) + "\"\n  " + disagreement.stock + "\n  " + disagreement.ours +
         "\n" + disagreement.text;
}

void ComparisonReport::Add(const ComparisonReport& other) {
  tables += other.tables;
  keys += other.keys;
  passed_over += other.passed_over;
  found += other.found;
  errors += other.errors;
  comparisons += other.comparisons;
  log += other.log;
  fruitful.insert(other.fruitful.begin(), other.fruitful.end());
  for (const auto& [name, count] : other.deliberate) deliberate[name] += count;
  unexplained.insert(unexplained.end(), other.unexplained.begin(), other.unexplained.end());
}

std::string ComparisonReport::Text() const {
  std::ostringstream out;
  out << tables << " tables, " << keys << " keys (" << found << " found, " << errors << " errors; "
      << passed_over << " more passed over), " << comparisons << " comparisons, "
      << unexplained.size() << " unexplained disagreements\n";
  for (const auto& [name, count] : deliberate) out << "  " << name << ": " << count << "\n";
  return out.str();
}

}  // namespace proxymux::differential
