#include "tests/lint/house_text.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "tests/bench/marked_sections.h"
#include "tests/lint/source_text.h"

namespace proxymux::lint {
namespace {

constexpr std::size_t kWidth = 100;
constexpr std::size_t kNameWidth = 18;
constexpr std::size_t kFilesWidth = 8;
constexpr std::size_t kLinesWidth = 11;

std::string Right(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

std::string Left(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, text.size()), ' ');
}

// "1,500": the nearest hundred, at least one.
std::string Hundreds(std::size_t number) {
  const std::size_t hundreds = std::max<std::size_t>((number + 50) / 100, 1);
  std::string text = std::to_string(hundreds * 100);
  if (text.size() > 3) text.insert(text.size() - 3, ",");
  return text;
}

// "-> a, b, c" on as many lines as it takes.
std::string ArrowLines(const std::set<std::string>& names) {
  const std::string indent(kNameWidth + 4, ' ');
  std::string text;
  std::string line;
  for (const std::string& name : names) {
    if (line.empty()) {
      line = indent.substr(3) + "-> " + name;
    } else if (line.size() + 2 + name.size() + 1 > kWidth) {
      text += line + ",\n";
      line = indent + name;
    } else {
      line += ", " + name;
    }
  }
  return names.empty() ? "" : text + line + "\n";
}

class HouseWriter {
 public:
  HouseWriter(const std::vector<RoomFigures>& rooms, const Arrows& arrows)
      : rooms_(rooms), arrows_(arrows) {
    const auto floors = Floors(arrows);
    for (const RoomFigures& room : rooms) {
      const auto floor = floors.find(room.name);
      by_floor_[floor == floors.end() ? 0 : floor->second].push_back(&room);
    }
  }

  std::string Write() const {
    std::string text;
    for (const auto& [floor, rooms] : by_floor_) {
      if (floor != 0) text += FloorText(floor, rooms);
    }
    if (by_floor_.contains(0)) text += FloorText(0, by_floor_.at(0));
    return text + Drawing();
  }

 private:
  using RoomList = std::vector<const RoomFigures*>;

  std::string FloorText(int floor, const RoomList& rooms) const {
    std::string text = "floor " + std::to_string(floor) + "\n";
    for (const RoomFigures* room : rooms) {
      text += "  " + Left(room->name, kNameWidth) +
              Right(std::to_string(room->files) + (room->files == 1 ? " file " : " files"),
                    kFilesWidth) +
              Right(Hundreds(room->lines), kLinesWidth - 4) + " lines  " + room->holds + "\n";
      const auto arrow = arrows_.find(room->name);
      if (arrow != arrows_.end()) text += ArrowLines(arrow->second);
    }
    return text + "\n";
  }

  // One column for each folder of the top, in the order of the rooms; the roof first.
  std::string Drawing() const {
    std::vector<std::string> wings;
    for (const RoomFigures& room : rooms_) {
      const std::string wing = WingOf(room);
      if (std::ranges::find(wings, wing) == wings.end()) wings.push_back(wing);
    }
    std::vector<std::vector<std::string>> rows = {{"floor"}};
    rows[0].insert(rows[0].end(), wings.begin(), wings.end());
    for (auto floor = by_floor_.rbegin(); floor != by_floor_.rend(); ++floor) {
      std::vector<std::string> row = {Right(std::to_string(floor->first), 5)};
      for (const std::string& wing : wings) row.push_back(Cell(floor->second, wing));
      rows.push_back(std::move(row));
    }
    return Grid(rows);
  }

  static std::string WingOf(const RoomFigures& room) {
    return room.name.substr(0, room.name.find('/'));
  }

  static std::string Cell(const RoomList& rooms, const std::string& wing) {
    std::string cell;
    for (const RoomFigures* room : rooms) {
      if (WingOf(*room) != wing) continue;
      cell += (cell.empty() ? "" : ", ") + room->name.substr(room->name.rfind('/') + 1);
    }
    return cell;
  }

  static std::string Grid(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths(rows[0].size(), 0);
    for (const auto& row : rows) {
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (const auto& row : rows) {
      std::string line;
      std::string rule;
      for (std::size_t i = 0; i < row.size(); ++i) {
        line += (i == 0 ? "" : " | ") + Left(row[i], widths[i]);
        rule += (i == 0 ? "" : "-+-") + std::string(widths[i], '-');
      }
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n";
      if (&row == &rows[0]) text += rule + "\n";
    }
    return text;
  }

  const std::vector<RoomFigures>& rooms_;
  const Arrows& arrows_;
  std::map<int, RoomList> by_floor_;
};

}  // namespace

std::vector<RoomFigures> FiguresOf(const House& house, const std::vector<SourceFile>& files) {
  std::vector<RoomFigures> rooms;
  for (const Room& room : house) {
    RoomFigures figures{.name = std::string(room.name), .holds = std::string(room.holds)};
    for (const SourceFile& file : files) {
      if (FolderOf(file.path) != room.name) continue;
      ++figures.files;
      figures.lines += SourceText(file.text).line_count();
    }
    rooms.push_back(std::move(figures));
  }
  return rooms;
}

std::string HouseText(const std::vector<RoomFigures>& rooms, const Arrows& arrows) {
  return HouseWriter(rooms, arrows).Write();
}

std::string WithHouse(const std::string& page, const std::string& text) {
  return bench::ReplaceSection(page, {.name = "house", .writer = "scripts/layers --write"},
                               "```text\n" + text + "```\n");
}

std::vector<std::string> CheckFilesAreNamed(std::string_view page,
                                            const std::vector<SourceFile>& files) {
  std::vector<std::string> messages;
  for (const SourceFile& file : files) {
    const std::string stem = std::filesystem::path(file.path).stem();
    const auto names = [&](const char* end) {
      return page.find("`" + stem + end + "`") != std::string_view::npos;
    };
    if (!names("") && !names(".h") && !names(".cc")) {
      messages.push_back(file.path + " stands in no table of docs/design.md");
    }
  }
  return messages;
}

}  // namespace proxymux::lint
