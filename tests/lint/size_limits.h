// Limits of size, and the list of what is larger than they allow. Pure.
//
// The list is a ratchet: each entry has the number of today. More fails, and so does less, until
// the entry says so: what has become smaller stays smaller.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tests/lint/source_tree.h"

namespace proxymux::lint {

enum class Measure {
  kFilesOfFolder,
  kLinesOfFile,
  kFunctionsOfClass,
  kDataOfClass,
};

std::size_t LimitOf(Measure measure);

struct Size {
  Measure measure;
  std::string of;  // a folder, a file, or a file and a class: "pgsql/pool/work.h Work"
  std::size_t number = 0;
};

struct SizeException {
  Measure measure;
  std::string_view of;
  std::size_t number;
};

struct SizeTable {
  std::vector<SizeException> exceptions;
  std::vector<std::string_view> data_files;  // tables of data: as long as what they list
};

// size_table.cc.
const SizeTable& Sizes();

// Everything that has a limit.
std::vector<Size> MeasureSizes(const std::vector<SourceFile>& files);

// What is larger than allowed, and which entries of `table` say more than is needed.
std::vector<std::string> CheckSizes(const std::vector<Size>& sizes, const SizeTable& table);

}  // namespace proxymux::lint
