// Replies: the status codes and the encoder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/dialect.h"
#include "protocol/request.h"

namespace proxymux::protocol {

// What each status makes the client do. The numbers are those of the wire.
enum class Status : std::uint32_t {
  kOk = 0,      // there is a value
  kNoKey = 1,   // there is no value: an answer, not an error
  kRetry = 2,   // the lookup fails for now: the mail is deferred
  kBad = 3,     // fatal to the client process: never for what could be answered later
  kDeny = 4,    // fatal too; to an open, from 3.11 on: that table's lookups fail, mail is deferred
  kConfig = 5,  // the table's configuration is broken: the mail is deferred
};

std::string_view StatusName(Status status);  // for logs: "OK", "NOKEY", ...

// An open must be answered kOk, kBad or kDeny: after any other status the client asks again every
// second, for ever.
struct Reply {
  Status status = Status::kOk;
  std::uint32_t flags = 0;  // the dialect's `flags`: of the opened table, or the lookup's own; 0
                            // for a table not found
  std::string_view key;     // sequence only
  std::string_view value;   // lookup and sequence

  friend bool operator==(const Reply&, const Reply&) = default;
};

// What a reply says besides its strings.
struct ReplyHead {
  Status status = Status::kOk;
  std::uint32_t flags = 0;  // 0 also where the reply has none
};

// Which attributes the reply to a request has besides `status`, in this order. The encoder and the
// parser go by it.
struct ReplyShape {
  bool flags = false;
  bool key = false;
  bool value = false;
};
ReplyShape ShapeOfReply(RequestKind kind, Dialect dialect);

// Appends the reply as one list; members of `reply` that the shape does not have are left out. A
// lookup answered kOk with an empty value is an error to every client, so it is sent as what it
// means, kNoKey.
void AppendReply(RequestKind kind, Dialect dialect, const Reply& reply, std::string* out);

// BAD in the shape of that request's reply.
void AppendBadReply(RequestKind kind, Dialect dialect, std::string* out);

// What a server of Postfix 3.6 and later sends first on a new connection. Older clients do not read
// it.
void AppendGreeting(std::string* out);

}  // namespace proxymux::protocol
