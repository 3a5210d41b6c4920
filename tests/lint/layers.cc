// Prints the house from the code itself: each room with its job, its files and lines and the rooms
// it includes, lowest first, and a drawing of the floors. Run in the repository's root.
//
//   layers            to standard output
//   layers --write    into the section of docs/design.md that holds it
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/lint/house_text.h"
#include "tests/lint/layering_rules.h"
#include "tests/lint/rooms.h"
#include "tests/lint/source_tree.h"

namespace proxymux::lint {
namespace {

constexpr char kPage[] = "docs/design.md";

std::string TextFromCode() {
  const auto files = ReadSources(".", Rooms());
  if (files.empty()) throw std::runtime_error("no sources here; run it in the repository's root");
  return HouseText(FiguresOf(Rooms(), files), UsedArrows(Rooms(), files));
}

void Write(const std::string& text) {
  const std::string page = WithHouse(ReadText(kPage), text);
  std::ofstream file(kPage, std::ios::binary | std::ios::trunc);
  file << page;
  file.close();
  if (!file) throw std::runtime_error(std::string(kPage) + ": cannot be written");
}

}  // namespace
}  // namespace proxymux::lint

int main(int argc, char** argv) {
  const bool write = argc == 2 && std::string_view(argv[1]) == "--write";
  if (argc > 1 && !write) {
    std::fputs("usage: layers [--write]\n", stderr);
    return 2;
  }
  try {
    const std::string text = proxymux::lint::TextFromCode();
    if (write) {
      proxymux::lint::Write(text);
    } else {
      std::fputs(text.c_str(), stdout);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "layers: %s\n", error.what());
    return 1;
  }
  return 0;
}
