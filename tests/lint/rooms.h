// The house: its rooms, what each holds and which others it may include. The table is in rooms.cc;
// tests hold it against the code, in both directions, so that it says what is there and no more.
#pragma once

#include <string_view>
#include <vector>

namespace proxymux::lint {

// A room is one folder, one Bazel package and one row.
struct Room {
  std::string_view name;                      // its folder: "pgsql/pool"
  std::string_view holds;                     // its job, in one line
  std::vector<std::string_view> may_include;  // other rooms
  bool operating_system = false;              // <unistd.h>, <sys/socket.h> and the like
};

using House = std::vector<Room>;

const House& Rooms();

// The folder of a file or header: what stands before the last slash, "" without one.
std::string_view FolderOf(std::string_view path);

// Null where there is none of this name.
const Room* FindRoom(const House& house, std::string_view name);

}  // namespace proxymux::lint
