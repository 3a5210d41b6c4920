// Sends cancel requests for what the connections of a pool are running, and waits for none of them.
//
// From libpq 17 on (LIBPQ_HAS_ASYNC_CANCEL) a request goes through the event loop, encrypted if its
// connection is, and is given up after a while. Before that there is PQcancel(): it opens a
// connection in clear and waits until the server closes it (libpq, "Canceling Queries in
// Progress"), without a time limit; a server that is frozen keeps it waiting for as long as it is.
// So each request has a thread of its own there, and not one of the few that resolve names.
//
// The number of requests on their way is bounded: past that nothing is sent, and the caller's own
// limit ends the connection.
#pragma once

#include <libpq-fe.h>

#include <memory>

#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

class CancelRequests {
 public:
  static constexpr int kMost = 16;  // on their way at one time, over the whole process

  // What is on its way when it is destroyed may come to nothing. `loop` must outlive it.
  explicit CancelRequests(EventLoop* loop);
  ~CancelRequests();
  CancelRequests(const CancelRequests&) = delete;
  CancelRequests& operator=(const CancelRequests&) = delete;

  // False when no request was sent: too many are on their way, or the system gives no thread or
  // socket. Whether it had an effect shows in the connection only, which may be closed meanwhile.
  bool Send(PGconn* connection);

 private:
  class Transport;

  const std::unique_ptr<Transport> transport_;
};

}  // namespace proxymux::pgsql
