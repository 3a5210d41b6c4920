// Sends a cancel request for what a connection is running, beside the event loop.
//
// PQcancel() opens a connection of its own and waits until the server closes it (libpq, "Canceling
// Queries in Progress"), without a time limit: a server that is frozen keeps it waiting for as long
// as it is. So each request has a thread of its own rather than one of the few that resolve names,
// and their number is bounded: past that nothing is sent, and the caller's own limit ends the
// connection.
#pragma once

#include "pgsql/libpq/pg_handles.h"

namespace proxymux::pgsql {

// Requests on their way at one time, over the whole process.
inline constexpr int kMaxCancelRequests = 16;

// False when no request was sent: too many are on their way, or the system has no thread to spare.
// Whether it had an effect shows in the connection only.
bool CancelInBackground(PGconn* connection);

}  // namespace proxymux::pgsql
