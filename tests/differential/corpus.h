// The fixed corpus: the files of tests/differential/tables.
//
// Each *.cf there is a table, with its placeholders (differential_table.h). Comment lines of the
// form `#@ WORD ...` are for us:
//   #@ order undefined   rows come in no defined order
//   #@ plan decides      so does which rows come: not for further statement modes
//   #@ keys few          costs much: asked a part of the keys only
//   #@ key TEXT          asked this key too
//   #@ trait WORD        see DifferentialTable::traits
//   #@ in main.cf        not a file but settings of main.cf under the name without ".cf"
//   #@ finds nothing     no key has a value in stock (all others must find something); `finds
//                        nothing before 3.10`: in releases before that one
//   #@ malformed         see DifferentialTable::malformed
//   #@ needs ipv6        left out where there is no ::1
//   #@ missing           no such file
// Every other file is put beside the tables as it is (domain lists).
#pragma once

#include <string>
#include <vector>

#include "tests/differential/differential_table.h"
#include "tests/harness/mail_schema.h"

namespace proxymux::differential {

struct CorpusTable {
  DifferentialTable table;
  bool few_keys = false;
  bool finds_nothing = false;
  bool needs_ipv6 = false;
  std::vector<std::string> keys;  // besides those of every table
};

struct Corpus {
  std::vector<CorpusTable> tables;
  std::vector<harness::TableFile> files;
};

// Throws std::runtime_error for a directive that is none.
Corpus ReadCorpus(const std::string& directory);

}  // namespace proxymux::differential
