#include "protocol/reply_parser.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/attribute_names.h"
#include "protocol/wire_number.h"

namespace proxymux::protocol {
namespace {

std::optional<std::string_view> TakeText(const AttributeList& list, std::size_t* next,
                                         std::string_view name) {
  if (*next >= list.kept() || list[*next].name != name) return std::nullopt;
  return list[(*next)++].value;
}

std::optional<std::uint32_t> TakeNumber(const AttributeList& list, std::size_t* next,
                                        std::string_view name) {
  const std::optional<std::string_view> text = TakeText(list, next, name);
  return text ? ParseWireNumber(*text) : std::nullopt;
}

}  // namespace

std::optional<Reply> ParseReply(const AttributeList& list, RequestKind kind, Dialect dialect) {
  const ReplyShape shape = ShapeOfReply(kind, dialect);
  std::size_t next = 0;
  Reply reply;

  const std::optional<std::uint32_t> status = TakeNumber(list, &next, kStatusAttribute);
  if (!status || *status > static_cast<std::uint32_t>(Status::kConfig)) return std::nullopt;
  reply.status = static_cast<Status>(*status);
  if (shape.flags) {
    const std::optional<std::uint32_t> flags = TakeNumber(list, &next, kFlagsAttribute);
    if (!flags) return std::nullopt;
    reply.flags = *flags;
  }
  if (shape.key) {
    const std::optional<std::string_view> key = TakeText(list, &next, kKeyAttribute);
    if (!key) return std::nullopt;
    reply.key = *key;
  }
  if (shape.value) {
    const std::optional<std::string_view> value = TakeText(list, &next, kValueAttribute);
    if (!value) return std::nullopt;
    reply.value = *value;
  }
  if (next != list.count()) return std::nullopt;
  return reply;
}

bool IsGreeting(const AttributeList& list) {
  return list.count() == 1 && list[0].name == kProtocolAttribute && list[0].value == kProtocolName;
}

}  // namespace proxymux::protocol
