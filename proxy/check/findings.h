// What `proxymux check` has found: mistakes in files, and what servers say to them.
//
// A mistake that is made in several places is one finding with several places. Findings are told by
// file and line, in the order in which their files were first spoken of. Pure.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "config/values/diagnostic.h"

namespace proxymux::proxy {

class Findings {
 public:
  void Add(const config::Diagnostic& finding);
  void Add(const std::vector<config::Diagnostic>& findings) {
    for (const config::Diagnostic& finding : findings) Add(finding);
  }
  void Error(std::string file, int line, std::string text, std::string hint = {});
  void Warning(std::string file, int line, std::string text, std::string hint = {});
  void Note(std::string file, int line, std::string text, std::string hint = {});

  std::size_t errors() const { return Count(config::Severity::kError); }
  std::size_t warnings() const { return Count(config::Severity::kWarning); }

  // One line for each: "FILE:LINE: error: what; what to do (also FILE:LINE, FILE:LINE)". What files
  // and servers have in it does nothing to a terminal (ShownText()).
  std::string Text() const;
  // [{"severity": "error", "text": ..., "hint": ..., "places": [{"file": ..., "line": ...,
  // "column": ...}]}]; 0: not known.
  nlohmann::ordered_json Json() const;

 private:
  struct Finding {
    config::Diagnostic said;               // its place is the first one
    std::vector<config::Diagnostic> also;  // the others, for their places
  };

  std::size_t Count(config::Severity severity) const;
  std::vector<const Finding*> InOrder() const;

  std::vector<Finding> findings_;
  std::vector<std::string> files_;  // in the order in which they were first spoken of
};

}  // namespace proxymux::proxy
