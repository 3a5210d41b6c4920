// A database whose schema changes by chance, and tables that ask it.
//
// Each step is SQL that may be run in whatever state the steps before it have left.
#pragma once

#include <string>
#include <vector>

#include "tests/differential/random_source.h"

namespace proxymux::differential {

struct ChangingTable {
  std::string name;  // of the file, without .cf
  std::string query;
  std::vector<std::string> keys;  // in small letters: postmap folds them
};

struct SchemaStep {
  std::string kind;                 // of the change, for counting
  std::string sql;                  // as the superuser
  std::vector<std::string> tables;  // whose answers may be others now; none named: those of all
};

// What there is before the first step, with the placeholder @USER@.
std::string ChangingSchema();
std::vector<ChangingTable> ChangingTables();
SchemaStep RandomStep(RandomSource& random);

}  // namespace proxymux::differential
