// What a comparison is told, and what came of it.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/harness/mail_schema.h"

namespace proxymux::differential {

struct ComparisonOptions {
  std::string statement_mode;  // a line `statement_mode = ...` for every table; empty: none
  // Copies of every table with these modes are held against the same answers of stock.
  std::vector<std::string> further_modes;
  // They are asked for the keys that may be errors, and for every n-th of the others.
  std::size_t further_every = 1;
  bool smtputf8 = true;                   // smtputf8_enable
  std::vector<harness::TableFile> files;  // more files beside the tables, such as domain lists
  // Of a table's keys that we have an error for ask only so many, since each of them costs a
  // process of stock's; 0: all.
  std::size_t most_errors = 0;
  int workers = 2;  // tables that are asked at the same time
};

struct Disagreement {
  std::string between;  // "stock direct, proxymux older dialect"
  std::string table;    // name
  std::string text;     // of the table, as written
  std::string key;      // as it is
  std::string stock;    // for people: OK "value", NOKEY, RETRY, ...
  std::string ours;
};

// All of it for people, keys and values escaped.
std::string Describe(const Disagreement& disagreement);

struct ComparisonReport {
  std::size_t tables = 0;
  std::size_t keys = 0;         // pairs of a table and a key
  std::size_t found = 0;        // of these, keys that stock has a value for
  std::size_t errors = 0;       // of these, keys that stock has an error for
  std::size_t passed_over = 0;  // besides these, keys beyond ComparisonOptions::most_errors
  std::size_t comparisons = 0;  // pairs of answers that were held against each other
  std::map<std::string, std::size_t> deliberate;  // by name of the row: how often it explained
  std::set<std::string> fruitful;                 // tables that stock found something in
  std::vector<Disagreement> unexplained;
  std::string log;  // when there are some: what proxymux logged about connections

  void Add(const ComparisonReport& other);
  std::string Text() const;  // the counts, several lines
};

}  // namespace proxymux::differential
