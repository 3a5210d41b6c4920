// Replies as they go out, each counted once: by its status, and, for a lookup in a pgsql table, by
// its table and, if it was answered, the time that it took.
//
// Owns the counts of replies; those of a table are the table's. Does not decide anything: the
// status is the caller's.
#pragma once

#include <string>
#include <string_view>

#include "pgsql/runtime/event_loop.h"
#include "protocol/dialect.h"
#include "protocol/reply.h"
#include "protocol/request.h"
#include "proxy/requests/current_request.h"
#include "proxy/status/status.h"

namespace proxymux::proxy {

class ReplyWriter {
 public:
  // The loop must outlive it.
  explicit ReplyWriter(const pgsql::EventLoop* loop) : loop_(loop) {}
  ReplyWriter(const ReplyWriter&) = delete;
  ReplyWriter& operator=(const ReplyWriter&) = delete;

  // Appends the reply in the shape of that request's; `value` is read only for kOk.
  void Append(const CurrentRequest& request, protocol::Status status, std::string_view value,
              std::string* out);
  // The same for a reply that had to be waited for. The view is good until the next call of Late():
  // whoever is told may take the next request only when it is copied.
  std::string_view Late(const CurrentRequest& request, protocol::Status status,
                        std::string_view value);
  // To a list that is no good request.
  void AppendBad(protocol::RequestKind kind, protocol::Dialect dialect, std::string* out);
  // One that the stock server wrote.
  void CountForwarded(protocol::Status status) { Count(status); }

  const ReplyCounts& counts() const { return counts_; }

 private:
  void Count(protocol::Status status);

  const pgsql::EventLoop* const loop_;
  std::string late_;
  ReplyCounts counts_;
};

}  // namespace proxymux::proxy
