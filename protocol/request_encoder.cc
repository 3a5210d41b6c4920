#include "protocol/request_encoder.h"

#include <cstdint>
#include <string_view>

#include "protocol/attribute_codec.h"
#include "protocol/attribute_names.h"

namespace proxymux::protocol {
namespace {

class OperationEncoder {
 public:
  OperationEncoder(Dialect dialect, std::string* out) : dialect_(dialect), out_(out) {}

  void operator()(const OpenRequest& open) const {
    Text(kTableAttribute, open.table);
    Number(dialect_ == Dialect::kLegacy ? kFlagsAttribute : kInstanceFlagsAttribute,
           open.instance_flags);
  }
  void operator()(const LookupRequest& lookup) const {
    TableAndFlags(lookup);
    Text(kKeyAttribute, lookup.key);
  }
  void operator()(const UpdateRequest& update) const {
    TableAndFlags(update);
    Text(kKeyAttribute, update.key);
    Text(kValueAttribute, update.value);
  }
  void operator()(const DeleteRequest& erase) const {
    TableAndFlags(erase);
    Text(kKeyAttribute, erase.key);
  }
  void operator()(const SequenceRequest& sequence) const {
    TableAndFlags(sequence);
    Number(kFunctionAttribute, static_cast<std::uint32_t>(sequence.function));
  }

 private:
  template <typename AnyRequest>
  void TableAndFlags(const AnyRequest& request) const {
    Text(kTableAttribute, request.table);
    if (dialect_ == Dialect::kInstanceFlags) {
      Number(kInstanceFlagsAttribute, request.instance_flags);
    }
    Number(kFlagsAttribute, request.flags);
  }
  void Text(std::string_view name, std::string_view value) const {
    AppendAttribute(name, value, out_);
  }
  void Number(std::string_view name, std::uint32_t value) const {
    AppendAttribute(name, value, out_);
  }

  Dialect dialect_;
  std::string* out_;
};

}  // namespace

void AppendRequest(const Request& request, std::string* out) {
  AppendAttribute(kRequestAttribute, RequestName(KindOf(request.operation)), out);
  std::visit(OperationEncoder(request.dialect, out), request.operation);
  AppendListEnd(out);
}

}  // namespace proxymux::protocol
