// The client's side of replies: for the relay to stock services, for load generators and for tests.
#pragma once

#include <optional>

#include "protocol/attribute_codec.h"
#include "protocol/dialect.h"
#include "protocol/reply.h"
#include "protocol/request.h"

namespace proxymux::protocol {

// The reply to a request of that kind and dialect, its strings being views into the list's bytes.
// None when the list is not exactly of that shape (ShapeOfReply) or the status is none of Status.
std::optional<Reply> ParseReply(const AttributeList& list, RequestKind kind, Dialect dialect);

// Whether the list is the greeting, which comes before the first reply.
bool IsGreeting(const AttributeList& list);

}  // namespace proxymux::protocol
