#include "tests/lint/layering_rules.h"

#include <fnmatch.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>
#include <sstream>

#include "tests/lint/source_text.h"

namespace proxymux::lint {
namespace {

// Patterns are those of fnmatch(3), `*` matching slashes too.
struct Library {
  std::string_view name;
  std::vector<const char*> headers;  // as included
  std::vector<const char*> files;    // that may include them
};

const std::vector<Library>& LibraryTable() {
  static const std::vector<Library> libraries = {
      {"libpq",
       {"libpq-fe.h", "libpq-events.h", "pg_config*.h", "libpq/*", "postgresql/*"},
       {"pgsql/libpq/*", "pgsql/inquiry/*"}},
      {"libuv", {"uv.h", "uv/*"}, {"proxy/*uv_*"}},
      {"yaml-cpp", {"yaml-cpp/*"}, {"config/yaml/yaml_loader.cc"}},
      {"spdlog", {"spdlog/*"}, {"proxy/log/log.cc"}},
      {"ICU's IDNA", {"unicode/uidna.h"}, {"config/postfix/domain_functions.cc"}},
      {"ICU", {"unicode/*"}, {"proxy/text/key_fold.cc"}},
      {"fmt", {"fmt/*"}, {"proxy/*"}},
      {"CLI11", {"CLI/*"}, {"proxy/*"}},
      {"nlohmann-json", {"nlohmann/*"}, {"proxy/*"}},
      {"libmicrohttpd", {"microhttpd.h"}, {"proxy/admin/admin_http.cc"}},
      {"prometheus-cpp", {"prometheus/*"}, {"proxy/*"}},
      {"GoogleTest", {"gtest/*", "gmock/*"}, {"tests/*"}},
      {"Google Benchmark", {"benchmark/*"}, {"tests/*"}},
  };
  return libraries;
}

// clang-format off
constexpr std::string_view kStandardHeaders[] = {
    "algorithm", "any", "array", "atomic", "barrier", "bit", "bitset", "cassert", "cctype",
    "cerrno", "cfenv", "cfloat", "charconv", "chrono", "cinttypes", "climits", "clocale",
    "cmath", "compare", "complex", "concepts", "condition_variable", "coroutine", "csetjmp",
    "csignal", "cstdarg", "cstddef", "cstdint", "cstdio", "cstdlib", "cstring", "ctime",
    "cuchar", "cwchar", "cwctype", "deque", "exception", "execution", "filesystem",
    "forward_list", "fstream", "functional", "future", "initializer_list", "iomanip", "ios",
    "iosfwd", "iostream", "istream", "iterator", "latch", "limits", "list", "locale", "map",
    "memory", "memory_resource", "mutex", "new", "numbers", "numeric", "optional", "ostream",
    "queue", "random", "ranges", "ratio", "regex", "scoped_allocator", "semaphore", "set",
    "shared_mutex", "source_location", "span", "sstream", "stack", "stdexcept", "stop_token",
    "streambuf", "string", "string_view", "syncstream", "system_error", "thread", "tuple",
    "type_traits", "typeindex", "typeinfo", "unordered_map", "unordered_set", "utility",
    "valarray", "variant", "vector", "version",
};
// clang-format on

bool IsStandard(std::string_view header) {
  return std::ranges::find(kStandardHeaders, header) != std::end(kStandardHeaders);
}

bool Matches(std::string_view text, const char* pattern) {
  return fnmatch(pattern, std::string(text).c_str(), 0) == 0;
}

// The library that a header belongs to; null for all others.
const Library* FindLibrary(std::string_view header) {
  const auto library = std::ranges::find_if(LibraryTable(), [header](const Library& candidate) {
    return std::ranges::any_of(candidate.headers,
                               [header](const char* pattern) { return Matches(header, pattern); });
  });
  return library == LibraryTable().end() ? nullptr : &*library;
}

// The C library and the kernel: <unistd.h>, <sys/un.h>.
bool IsOperatingSystem(std::string_view header) {
  if (!header.ends_with(".h")) return false;
  const std::size_t slash = header.find('/');
  if (slash == std::string_view::npos) return true;
  for (std::string_view folder : {"sys", "net", "netinet", "arpa", "linux"}) {
    if (header.substr(0, slash) == folder) return true;
  }
  return false;
}

// Where `catch` with nothing but an ellipsis in parentheses begins, from `from` on; npos when
// nowhere.
std::size_t FindCatchAll(std::string_view code, std::size_t from) {
  constexpr std::string_view kCatch = "catch";
  for (std::size_t at = code.find(kCatch, from); at != std::string_view::npos;
       at = code.find(kCatch, at + 1)) {
    if (at > 0 && IsWordCharacter(code[at - 1])) continue;
    std::string_view rest = code.substr(at + kCatch.size());
    bool all = true;
    for (std::string_view token : {"(", "...", ")"}) {
      rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
      all = all && rest.starts_with(token);
      if (all) rest.remove_prefix(token.size());
    }
    if (all) return at;
  }
  return std::string_view::npos;
}

std::string Join(const std::vector<std::string_view>& words) {
  std::string text;
  for (std::string_view word : words) {
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text;
}

std::string Spelled(const Include& include) {
  return include.quoted ? "\"" + include.header + "\"" : "<" + include.header + ">";
}

class FileCheck {
 public:
  FileCheck(const House& house, std::string_view path, std::string_view text)
      : house_(house), path_(path), source_(text) {}

  std::vector<std::string> Run() {
    const Room* room = FindRoom(house_, FolderOf(path_));
    if (room == nullptr) {
      Report(1, "is in no room; the rooms are the rows of tests/lint/rooms.cc");
      return messages_;
    }
    for (const Include& include : source_.includes()) CheckInclude(*room, include);
    CheckCatch();
    return messages_;
  }

 private:
  void CheckInclude(const Room& room, const Include& include) {
    if (const Library* library = FindLibrary(include.header)) {
      std::string files;
      for (const char* pattern : library->files) {
        if (Matches(path_, pattern)) return;
        files += std::string(files.empty() ? "" : " and ") + pattern;
      }
      Report(include.line, "includes ", Spelled(include), ", but ", library->name, " is for ",
             files, " only");
    } else if (include.quoted) {
      CheckOwnHeader(room, include);
    } else {
      CheckSystemHeader(room, include);
    }
  }

  void CheckOwnHeader(const Room& room, const Include& include) {
    const std::string_view folder = FolderOf(include.header);
    if (folder.empty() || include.header.starts_with('.')) {
      Report(include.line, "includes ", Spelled(include),
             "; write the path from the repository's root, as in \"", room.name, "/",
             include.header, "\"");
      return;
    }
    if (folder == room.name) return;
    if (std::ranges::find(room.may_include, folder) != room.may_include.end()) return;
    Report(include.line, "includes ", Spelled(include), ", but of other rooms ", room.name,
           "/ may include ", room.may_include.empty() ? "none" : "only " + Join(room.may_include));
  }

  void CheckSystemHeader(const Room& room, const Include& include) {
    if (IsStandard(include.header)) return;
    if (!IsOperatingSystem(include.header)) {
      Report(include.line, "includes ", Spelled(include),
             ", of a library that the table in tests/lint/layering_rules.cc does not know; add it "
             "there with the files that may use it");
      return;
    }
    if (!room.operating_system) {
      Report(include.line, "includes ", Spelled(include), ", but ", room.name,
             "/ does without the operating system's headers");
    }
  }

  void CheckCatch() {
    const std::string& code = source_.code();
    for (std::size_t at = FindCatchAll(code, 0); at != std::string::npos;
         at = FindCatchAll(code, at + 1)) {
      Report(source_.LineOf(at),
             "has catch (...); catch what can be dealt with, let the rest end the process");
    }
  }

  template <typename... Parts>
  void Report(std::size_t line, const Parts&... parts) {
    std::ostringstream message;
    message << path_ << ':' << line << ": ";
    (message << ... << parts);
    messages_.push_back(message.str());
  }

  const House& house_;
  std::string_view path_;
  SourceText source_;
  std::vector<std::string> messages_;
};

bool NeedsOperatingSystem(const Include& include) {
  return !include.quoted && FindLibrary(include.header) == nullptr &&
         IsOperatingSystem(include.header);
}

}  // namespace

std::vector<std::string> CheckFile(const House& house, std::string_view path,
                                   std::string_view text) {
  return FileCheck(house, path, text).Run();
}

Arrows UsedArrows(const House& house, const std::vector<SourceFile>& files) {
  Arrows arrows;
  for (const Room& room : house) arrows[std::string(room.name)];
  for (const SourceFile& file : files) {
    const std::string_view from = FolderOf(file.path);
    const auto arrow = arrows.find(from);
    if (arrow == arrows.end()) continue;
    const SourceText source(file.text);
    for (const Include& include : source.includes()) {
      const std::string_view to = FolderOf(include.header);
      if (include.quoted && to != from && FindRoom(house, to) != nullptr) arrow->second.emplace(to);
    }
  }
  return arrows;
}

std::vector<std::string> CheckTable(const House& house, const std::vector<SourceFile>& files) {
  std::set<std::string, std::less<>> at_the_system;
  for (const SourceFile& file : files) {
    if (std::ranges::any_of(SourceText(file.text).includes(), NeedsOperatingSystem)) {
      at_the_system.emplace(FolderOf(file.path));
    }
  }
  const Arrows used = UsedArrows(house, files);
  std::vector<std::string> messages;
  const auto report = [&messages](const Room& room, std::string_view allowed) {
    messages.push_back("tests/lint/rooms.cc: " + std::string(room.name) + " may include " +
                       std::string(allowed) + ", but no file of it does; take it out");
  };
  for (const Room& room : house) {
    const std::set<std::string>& included = used.find(room.name)->second;
    for (std::string_view name : room.may_include) {
      if (!included.contains(std::string(name))) report(room, name);
    }
    if (room.operating_system && !at_the_system.contains(room.name)) {
      report(room, "the operating system's headers");
    }
  }
  return messages;
}

}  // namespace proxymux::lint
