// How a statement reaches the server.
#pragma once

#include <cstdint>

namespace proxymux::pgsql {

enum class StatementForm : std::uint8_t {
  kText,           // values escaped and written into it
  kParameterized,  // values beside it; nothing is kept on the server
  kPrepared,       // values for a statement that the connection has prepared
};

enum class Protocol : std::uint8_t {
  kExtended,  // in a pipeline with others
  kSimple,    // text only, and nothing may be sent behind it until it is answered
};

}  // namespace proxymux::pgsql
