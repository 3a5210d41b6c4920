// How a statement reaches the server.
#pragma once

#include <cstdint>

namespace proxymux::pgsql {

enum class StatementForm : std::uint8_t {
  kText,           // values escaped and written into it
  kParameterized,  // values beside it; nothing is kept on the server
  kPrepared,       // values for a statement that the connection has prepared
};

}  // namespace proxymux::pgsql
