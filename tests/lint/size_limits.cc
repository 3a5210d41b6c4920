#include "tests/lint/size_limits.h"

#include <algorithm>
#include <map>

#include "tests/lint/class_size.h"
#include "tests/lint/rooms.h"
#include "tests/lint/source_text.h"

namespace proxymux::lint {
namespace {

constexpr std::string_view kTable = "tests/lint/size_table.cc: ";

std::string_view UnitOf(Measure measure) {
  switch (measure) {
    case Measure::kFilesOfFolder:
      return " files";
    case Measure::kLinesOfFile:
      return " lines";
    case Measure::kFunctionsOfClass:
      return " member functions";
    case Measure::kDataOfClass:
      return " data members";
  }
  return "";
}

std::string Amount(Measure measure, std::size_t number) {
  return std::to_string(number) + std::string(UnitOf(measure));
}

class SizeCheck {
 public:
  SizeCheck(const std::vector<Size>& sizes, const SizeTable& table)
      : sizes_(sizes), table_(table) {}

  std::vector<std::string> Run() {
    for (const Size& size : sizes_) {
      if (size.number > LimitOf(size.measure) && !IsDataFile(size)) CheckLarge(size);
    }
    for (const SizeException& entry : table_.exceptions) CheckEntry(entry);
    for (std::string_view path : table_.data_files) {
      if (NumberOf(Measure::kLinesOfFile, path) <= LimitOf(Measure::kLinesOfFile)) {
        Report(kTable, path, " needs no entry among the tables of data any more; take it out");
      }
    }
    return messages_;
  }

 private:
  bool IsDataFile(const Size& size) const {
    return size.measure == Measure::kLinesOfFile &&
           std::ranges::find(table_.data_files, size.of) != table_.data_files.end();
  }

  std::size_t NumberOf(Measure measure, std::string_view of) const {
    std::size_t number = 0;
    for (const Size& size : sizes_) {
      if (size.measure == measure && size.of == of) number = std::max(number, size.number);
    }
    return number;
  }

  void CheckLarge(const Size& size) {
    std::size_t allowed = 0;
    for (const SizeException& entry : table_.exceptions) {
      if (entry.measure == size.measure && entry.of == size.of) allowed = entry.number;
    }
    if (allowed == 0) {
      Report(size.of, " has ", Amount(size.measure, size.number), ", more than ",
             std::to_string(LimitOf(size.measure)), "; split it into two ideas");
    } else if (size.number > allowed) {
      Report(size.of, " has ", Amount(size.measure, size.number), ", more than the ",
             std::to_string(allowed), " of its exception; it may only become smaller");
    }
  }

  void CheckEntry(const SizeException& entry) {
    const std::size_t number = NumberOf(entry.measure, entry.of);
    if (number <= LimitOf(entry.measure)) {
      Report(kTable, entry.of, " needs no exception for", UnitOf(entry.measure),
             " any more; take it out");
    } else if (number < entry.number) {
      Report(kTable, entry.of, " has ", Amount(entry.measure, number), ", its exception says ",
             std::to_string(entry.number), "; lower it");
    }
  }

  template <typename... Parts>
  void Report(const Parts&... parts) {
    std::string message;
    (message.append(parts), ...);
    messages_.push_back(message);
  }

  const std::vector<Size>& sizes_;
  const SizeTable& table_;
  std::vector<std::string> messages_;
};

}  // namespace

std::size_t LimitOf(Measure measure) {
  switch (measure) {
    case Measure::kFilesOfFolder:
      return 30;
    case Measure::kLinesOfFile:
      return 300;
    case Measure::kFunctionsOfClass:
      return 30;
    case Measure::kDataOfClass:
      return 20;
  }
  return 0;
}

std::vector<Size> MeasureSizes(const std::vector<SourceFile>& files) {
  std::vector<Size> sizes;
  std::map<std::string, std::size_t> files_of;
  for (const SourceFile& file : files) {
    ++files_of[std::string(FolderOf(file.path))];
    const SourceText source(file.text);
    sizes.push_back({Measure::kLinesOfFile, file.path, source.line_count()});
    for (const ClassSize& size : ClassSizes(source)) {
      const std::string of = file.path + " " + size.name;
      sizes.push_back({Measure::kFunctionsOfClass, of, size.functions});
      sizes.push_back({Measure::kDataOfClass, of, size.data});
    }
  }
  for (const auto& [folder, number] : files_of) {
    sizes.push_back({Measure::kFilesOfFolder, folder, number});
  }
  return sizes;
}

std::vector<std::string> CheckSizes(const std::vector<Size>& sizes, const SizeTable& table) {
  return SizeCheck(sizes, table).Run();
}

}  // namespace proxymux::lint
