#include "protocol/request.h"

namespace proxymux::protocol {
namespace {

struct KindVisitor {
  RequestKind operator()(const OpenRequest&) const { return RequestKind::kOpen; }
  RequestKind operator()(const LookupRequest&) const { return RequestKind::kLookup; }
  RequestKind operator()(const UpdateRequest&) const { return RequestKind::kUpdate; }
  RequestKind operator()(const DeleteRequest&) const { return RequestKind::kDelete; }
  RequestKind operator()(const SequenceRequest&) const { return RequestKind::kSequence; }
};

}  // namespace

RequestKind KindOf(const Operation& operation) { return std::visit(KindVisitor{}, operation); }

std::string_view TableOf(const Operation& operation) {
  return std::visit([](const auto& request) { return request.table; }, operation);
}

std::string_view RequestName(RequestKind kind) {
  switch (kind) {
    case RequestKind::kOpen:
      return "open";
    case RequestKind::kLookup:
      return "lookup";
    case RequestKind::kUpdate:
      return "update";
    case RequestKind::kDelete:
      return "delete";
    case RequestKind::kSequence:
      return "sequence";
    case RequestKind::kUnknown:
      break;
  }
  return "unknown";
}

RequestKind RequestKindByName(std::string_view name) {
  for (RequestKind kind : {RequestKind::kLookup, RequestKind::kOpen, RequestKind::kUpdate,
                           RequestKind::kDelete, RequestKind::kSequence}) {
    if (name == RequestName(kind)) return kind;
  }
  return RequestKind::kUnknown;
}

}  // namespace proxymux::protocol
