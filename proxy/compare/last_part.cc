#include "proxy/compare/last_part.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <istream>
#include <string_view>
#include <system_error>

namespace proxymux::proxy {
namespace {

constexpr std::size_t kMagicBytes = 6;

bool IsCompressed(std::string_view text) {
  using namespace std::string_view_literals;
  constexpr std::array<std::string_view, 4> kMagic = {"\x1f\x8b"sv, "BZh"sv,
                                                      "\xfd"
                                                      "7zXZ"sv,
                                                      "\x28\xb5\x2f\xfd"sv};
  return std::ranges::any_of(kMagic,
                             [&](std::string_view magic) { return text.starts_with(magic); });
}

// A stream that has no size, as a pipe, is read whole, and its end kept.
void ReadEnd(std::istream& from, std::size_t most, LastPart* part) {
  std::array<char, 65536> buffer;
  while (from) {
    from.read(buffer.data(), buffer.size());
    part->text.append(buffer.data(), static_cast<std::size_t>(from.gcount()));
    if (part->text.size() <= 2 * most) continue;
    part->text.erase(0, part->text.size() - most);
    part->cut = true;
  }
  if (part->text.size() <= most) return;
  part->text.erase(0, part->text.size() - most);
  part->cut = true;
}

}  // namespace

LastPart ReadLastPart(const std::string& path, std::istream* in, std::size_t most) {
  LastPart part;
  std::ifstream file;
  if (path != "-") {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
      part.error = "is a directory";
      return part;
    }
    file.open(path, std::ios::binary);
    if (!file) {
      part.error = std::strerror(errno);
      return part;
    }
    std::string begin(kMagicBytes, '\0');
    file.read(begin.data(), static_cast<std::streamsize>(begin.size()));
    begin.resize(static_cast<std::size_t>(file.gcount()));
    if (IsCompressed(begin)) {
      part.error = "is compressed: zcat it, and give it as -";
      return part;
    }
    file.clear();
    if (!file.seekg(0)) {  // a pipe
      file.clear();
      part.text = begin;
    }
    const auto size = std::filesystem::file_size(path, error);
    if (!error && size > most && file.seekg(static_cast<std::streamoff>(size - most))) {
      part.cut = true;
    }
    in = &file;
  }
  ReadEnd(*in, most, &part);
  if (in->bad()) part.error = "cannot be read";
  if (!part.cut && IsCompressed(part.text)) part.error = "is compressed: zcat it first";
  if (part.cut) {
    const std::size_t end = part.text.find('\n');
    part.text.erase(0, end == std::string::npos ? end : end + 1);
  }
  return part;
}

}  // namespace proxymux::proxy
