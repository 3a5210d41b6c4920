// The five requests of the proxymap protocol as plain values. Their strings are views into the
// buffer that they were parsed from (or that the caller of the encoder owns).
//
// `table` is TYPE:NAME without leading `proxy:`. In the legacy dialect there is one flags
// attribute, which is then the value of both `instance_flags` and `flags`, so that a reader need
// not ask for the dialect: what belongs to the opened table (as UTF8_REQUEST) is read from
// `instance_flags`, what belongs to one lookup (as FOLD_FIX) from `flags`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "protocol/dialect.h"

namespace proxymux::protocol {

struct OpenRequest {
  std::string_view table;
  std::uint32_t instance_flags = 0;  // the attribute `flags` in the legacy dialect

  friend bool operator==(const OpenRequest&, const OpenRequest&) = default;
};

struct LookupRequest {
  std::string_view table;
  std::uint32_t instance_flags = 0;
  std::uint32_t flags = 0;
  std::string_view key;

  friend bool operator==(const LookupRequest&, const LookupRequest&) = default;
};

// The read-only service denies update and delete, whatever the table: here `table` may lack a
// colon.
struct UpdateRequest {
  std::string_view table;
  std::uint32_t instance_flags = 0;
  std::uint32_t flags = 0;
  std::string_view key;
  std::string_view value;

  friend bool operator==(const UpdateRequest&, const UpdateRequest&) = default;
};

struct DeleteRequest {
  std::string_view table;
  std::uint32_t instance_flags = 0;
  std::uint32_t flags = 0;
  std::string_view key;

  friend bool operator==(const DeleteRequest&, const DeleteRequest&) = default;
};

// Walks over a table. The numbers are those of the wire.
enum class SequenceFunction : std::uint32_t { kFirst = 0, kNext = 1 };

struct SequenceRequest {
  std::string_view table;
  std::uint32_t instance_flags = 0;
  std::uint32_t flags = 0;
  SequenceFunction function = SequenceFunction::kFirst;

  friend bool operator==(const SequenceRequest&, const SequenceRequest&) = default;
};

using Operation =
    std::variant<OpenRequest, LookupRequest, UpdateRequest, DeleteRequest, SequenceRequest>;

struct Request {
  Dialect dialect = Dialect::kLegacy;
  std::size_t extra_attributes = 0;  // after the last expected one, ignored; worth a warning
  Operation operation;

  friend bool operator==(const Request&, const Request&) = default;
};

// What was asked for; with the dialect it decides which attributes a reply has.
enum class RequestKind { kOpen, kLookup, kUpdate, kDelete, kSequence, kUnknown };

RequestKind KindOf(const Operation& operation);  // never kUnknown
std::string_view TableOf(const Operation& operation);

// The value of the `request` attribute; kUnknown has none ("unknown", for logs only).
std::string_view RequestName(RequestKind kind);
RequestKind RequestKindByName(std::string_view name);

}  // namespace proxymux::protocol
