// Two answers to each key of one table, stock's and ours: how often they are the same, and where
// they are not. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "proxy/compare/key_answers.h"

namespace proxymux::proxy {

struct ComparedTable {
  // Of the runs that ended well, the start of the program included.
  struct Timing {
    std::chrono::duration<double> time{};
    std::size_t keys = 0;
  };

  std::string name;
  std::size_t found = 0;                  // by both, with the same value
  std::size_t not_found = 0;              // by neither
  std::size_t errors = 0;                 // of both
  std::size_t not_asked = 0;              // one of them had too many errors before
  std::vector<std::string> differences;   // a line for each
  std::vector<std::string> shown_errors;  // of both, the first of them
  Timing stock;
  Timing ours;

  std::size_t keys() const { return found + not_found + errors + not_asked + differences.size(); }
  // They need not be compared once more: they say the same, or one of them was not asked.
  static bool IsSettled(const KeyAnswer& stock, const KeyAnswer& ours);
  void Add(const std::string& key, const KeyAnswer& stock, const KeyAnswer& ours);
  // No answer differs, every key was asked, and there was an answer. An error of both is no
  // difference: what either says of it is in its own words.
  bool IsSame() const;
  // One line, then one for each difference and error.
  std::string Text() const;
};

}  // namespace proxymux::proxy
