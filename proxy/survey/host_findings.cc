#include "proxy/survey/host_findings.h"

#include <algorithm>
#include <cstddef>

namespace proxymux::proxy {

std::vector<config::Diagnostic> MergeFindings(const std::vector<HostFindings>& hosts) {
  struct Merged {
    config::Diagnostic said;
    std::size_t count = 0;
    std::string names;
  };
  std::vector<Merged> merged;
  for (const HostFindings& host : hosts) {
    for (auto each = host.said.begin(); each != host.said.end(); ++each) {
      const config::Diagnostic& said = *each;
      if (std::find(host.said.begin(), each, said) != each) continue;  // of two scans in one query
      auto same = std::ranges::find(merged, said, &Merged::said);
      if (same == merged.end()) same = merged.insert(merged.end(), Merged{said, 0, ""});
      ++same->count;
      same->names += (same->names.empty() ? "" : ", ") + host.host;
    }
  }
  std::vector<config::Diagnostic> findings;
  for (const Merged& each : merged) {
    config::Diagnostic& finding = findings.emplace_back(each.said);
    if (each.count < hosts.size()) finding.text += " (at host " + each.names + ")";
  }
  return findings;
}

}  // namespace proxymux::proxy
