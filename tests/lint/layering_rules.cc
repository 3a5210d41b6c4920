#include "tests/lint/layering_rules.h"

#include <fnmatch.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <sstream>

#include "tests/lint/source_text.h"

namespace proxymux::lint {
namespace {

struct Room {
  std::string_view name;
  // Headers that it may include: a whole room ("config/") or single ones.
  std::vector<std::string_view> headers;
  bool operating_system;  // <unistd.h>, <sys/socket.h> and the like
};

const std::vector<Room>& RoomTable() {
  static const std::vector<Room> rooms = {
      {"protocol", {"protocol/"}, false},
      {"config", {"config/"}, true},
      {"pgsql",
       {"pgsql/", "config/values/"},
       true},
      {"proxy", {"proxy/", "protocol/", "config/", "pgsql/"}, true},
  };
  return rooms;
}

// Patterns are those of fnmatch(3), `*` matching slashes too.
struct Library {
  std::string_view name;
  std::vector<const char*> headers;  // as included
  const char* files;                 // that may include them; also what messages say
};

const std::vector<Library>& LibraryTable() {
  static const std::vector<Library> libraries = {
      {"libpq",
       {"libpq-fe.h", "libpq-events.h", "pg_config*.h", "libpq/*", "postgresql/*"},
       "pgsql/libpq/*"},
      {"libuv", {"uv.h", "uv/*"}, "proxy/*uv_*"},
      {"yaml-cpp", {"yaml-cpp/*"}, "config/yaml/yaml_loader.cc"},
      {"spdlog", {"spdlog/*"}, "proxy/log/log.cc"},
      {"ICU", {"unicode/*"}, "proxy/text/key_fold.cc"},
      {"fmt", {"fmt/*"}, "proxy/*"},
      {"CLI11", {"CLI/*"}, "proxy/*"},
      {"nlohmann-json", {"nlohmann/*"}, "proxy/*"},
      {"libmicrohttpd", {"microhttpd.h"}, "proxy/admin/admin_http.cc"},
      {"prometheus-cpp", {"prometheus/*"}, "proxy/*"},
      {"GoogleTest", {"gtest/*", "gmock/*"}, "tests/*"},
      {"Google Benchmark", {"benchmark/*"}, "tests/*"},
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

bool IsWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Where `catch` with nothing but an ellipsis in parentheses begins, from `from` on; npos when
// nowhere.
std::size_t FindCatchAll(std::string_view code, std::size_t from) {
  constexpr std::string_view kCatch = "catch";
  for (std::size_t at = code.find(kCatch, from); at != std::string_view::npos;
       at = code.find(kCatch, at + 1)) {
    if (at > 0 && IsWord(code[at - 1])) continue;
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

class FileCheck {
 public:
  FileCheck(std::string_view path, std::string_view text) : path_(path), source_(text) {}

  std::vector<std::string> Run() {
    const std::string_view room_name = path_.substr(0, path_.find('/'));
    const auto room = std::ranges::find(RoomTable(), room_name, &Room::name);
    if (room == RoomTable().end()) {
      Report(1, "is in no room; the rooms are protocol, config, pgsql and proxy");
      return messages_;
    }
    for (const Include& include : source_.includes()) CheckInclude(*room, include);
    CheckLength();
    CheckCatch();
    return messages_;
  }

 private:
  void CheckInclude(const Room& room, const Include& include) {
    for (const Library& library : LibraryTable()) {
      if (std::ranges::none_of(library.headers, [&include](const char* pattern) {
            return Matches(include.header, pattern);
          })) {
        continue;
      }
      if (!Matches(path_, library.files)) {
        Report(include.line, "includes ", Spelled(include), ", but ", library.name, " is for ",
               library.files, " only");
      }
      return;
    }
    include.quoted ? CheckOwnHeader(room, include) : CheckSystemHeader(room, include);
  }

  void CheckOwnHeader(const Room& room, const Include& include) {
    for (std::string_view allowed : room.headers) {
      if (include.header == allowed) return;
      if (allowed.ends_with('/') && include.header.starts_with(allowed)) return;
    }
    if (include.header.find('/') == std::string::npos || include.header.starts_with('.')) {
      Report(include.line, "includes ", Spelled(include),
             "; write the path from the repository's root, as in \"", room.name, "/",
             include.header, "\"");
      return;
    }
    Report(include.line, "includes ", Spelled(include), ", but of our own headers ", room.name,
           "/ may include only ", Join(room.headers));
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
             "/ is built on the C++ standard library alone");
    }
  }

  void CheckLength() {
    if (source_.line_count() <= kMaxLines) return;
    Report(kMaxLines + 1, "has ", source_.line_count(), " lines, more than ", kMaxLines,
           "; split it into two ideas");
  }

  void CheckCatch() {
    const std::string& code = source_.code();
    for (std::size_t at = FindCatchAll(code, 0); at != std::string::npos;
         at = FindCatchAll(code, at + 1)) {
      Report(source_.LineOf(at),
             "has catch (...); catch what can be dealt with, let the rest end the process");
    }
  }

  static std::string Spelled(const Include& include) {
    return include.quoted ? "\"" + include.header + "\"" : "<" + include.header + ">";
  }

  template <typename... Parts>
  void Report(std::size_t line, const Parts&... parts) {
    std::ostringstream message;
    message << path_ << ':' << line << ": ";
    (message << ... << parts);
    messages_.push_back(message.str());
  }

  std::string_view path_;
  SourceText source_;
  std::vector<std::string> messages_;
};

}  // namespace

const std::vector<std::string>& Rooms() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> rooms;
    for (const Room& room : RoomTable()) rooms.emplace_back(room.name);
    return rooms;
  }();
  return names;
}

std::vector<std::string> CheckFile(std::string_view path, std::string_view text) {
  return FileCheck(path, text).Run();
}

}  // namespace proxymux::lint
