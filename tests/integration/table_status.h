// What the service says of its tables on its admin socket.
#pragma once

#include <cstddef>
#include <string>

namespace proxymux::integration {

// How many tables have a statement of which the catalogue has said that it only reads: until then a
// table's answers are neither kept nor joined.
std::size_t TablesKnownToRead(const std::string& admin_socket);

}  // namespace proxymux::integration
