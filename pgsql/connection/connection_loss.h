// Why a connection ended before everything on it was answered, and what that says of its host and
// of the statements that it had. Pure.
#pragma once

#include <cstdint>

#include "pgsql/connection/pool_connection.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

enum class ConnectionLoss : std::uint8_t {
  kPerhapsHost,    // the host may be to blame, or the oldest statement
  kSessionEnded,   // the server ended this session for its own sake: the host is not to blame
  kSessionStuck,   // after an error, which its statement has been told
  kSessionSilent,  // the host answers on others: once for each of its statements
  kHostSilent,     // the host does not answer, and another connection is to find out why
  kGivenUp,        // here, for what a statement answered or left behind, which has been told
  kOutdated,       // here: what sessions are given has changed, and what was to run did not
};

// Whether the host's other connections may be gone as well.
bool SpeaksAgainstHost(ConnectionLoss loss, bool nothing_unanswered);

// Whether a connection that had answered nothing, and was lost so, counts as one that could not be
// made.
bool FailsHost(ConnectionLoss loss);

// Whether the connection may have been lost for the sake of that statement; `oldest` is the first
// one that it had not answered.
bool MayBlame(ConnectionLoss loss, const Work& work, const Work& oldest,
              const PoolConnection& connection);

}  // namespace proxymux::pgsql
