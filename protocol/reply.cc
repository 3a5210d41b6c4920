#include "protocol/reply.h"

#include "protocol/attribute_codec.h"
#include "protocol/attribute_names.h"

namespace proxymux::protocol {

std::string_view StatusName(Status status) {
  switch (status) {
    case Status::kOk:
      return "OK";
    case Status::kNoKey:
      return "NOKEY";
    case Status::kRetry:
      return "RETRY";
    case Status::kBad:
      return "BAD";
    case Status::kDeny:
      return "DENY";
    case Status::kConfig:
      return "CONFIG";
  }
  return "unknown";
}

ReplyShape ShapeOfReply(RequestKind kind, Dialect dialect) {
  const bool with_flags = dialect == Dialect::kInstanceFlags;
  switch (kind) {
    case RequestKind::kOpen:
      return {.flags = true};
    case RequestKind::kLookup:
      return {.flags = with_flags, .value = true};
    case RequestKind::kUpdate:
    case RequestKind::kDelete:
      return {.flags = with_flags};
    case RequestKind::kSequence:
      return {.flags = with_flags, .key = true, .value = true};
    case RequestKind::kUnknown:
      break;
  }
  return {};
}

void AppendReply(RequestKind kind, Dialect dialect, const Reply& reply, std::string* out) {
  Status status = reply.status;
  // What a NUL leads is not sent (AppendAttribute), so it does not make a value non-empty either.
  const bool empty_value = reply.value.empty() || reply.value.front() == '\0';
  if (kind == RequestKind::kLookup && status == Status::kOk && empty_value) {
    status = Status::kNoKey;
  }
  const ReplyShape shape = ShapeOfReply(kind, dialect);
  AppendAttribute(kStatusAttribute, static_cast<std::uint32_t>(status), out);
  if (shape.flags) AppendAttribute(kFlagsAttribute, reply.flags, out);
  if (shape.key) AppendAttribute(kKeyAttribute, reply.key, out);
  if (shape.value) AppendAttribute(kValueAttribute, reply.value, out);
  AppendListEnd(out);
}

void AppendBadReply(RequestKind kind, Dialect dialect, std::string* out) {
  AppendReply(kind, dialect, {.status = Status::kBad, .flags = 0, .key = {}, .value = {}}, out);
}

void AppendGreeting(std::string* out) {
  AppendAttribute(kProtocolAttribute, kProtocolName, out);
  AppendListEnd(out);
}

}  // namespace proxymux::protocol
