#include "protocol/request_parser.h"

#include <cstddef>
#include <cstdint>
#include <optional>

#include "protocol/attribute_names.h"
#include "protocol/table_name.h"
#include "protocol/wire_number.h"

namespace proxymux::protocol {
namespace {

// Takes the attributes of one list in order and remembers the first thing that is wrong; after that
// every Take fails.
class AttributeCursor {
 public:
  AttributeCursor(const AttributeList& list, Malformed* malformed)
      : list_(list), malformed_(malformed) {}

  bool TakeText(std::string_view name, std::string_view* value) {
    if (failed_) return false;
    if (next_ == list_.kept()) return Fail("attribute is missing", name, {});
    const Attribute& attribute = list_[next_];
    if (attribute.name != name) return Fail("another attribute is there", name, attribute.name);
    *value = attribute.value;
    ++next_;
    return true;
  }

  bool TakeNumber(std::string_view name, std::uint32_t* value) {
    std::string_view text;
    if (!TakeText(name, &text)) return false;
    const std::optional<std::uint32_t> number = ParseWireNumber(text);
    if (!number) return Fail("value is not a number", name, text);
    *value = *number;
    return true;
  }

  bool TakeFunction(SequenceFunction* function) {
    std::uint32_t number = 0;
    if (!TakeNumber(kFunctionAttribute, &number)) return false;
    if (number > static_cast<std::uint32_t>(SequenceFunction::kNext)) {
      return Fail("value is neither 0 (first) nor 1 (next)", kFunctionAttribute,
                  list_[next_ - 1].value);
    }
    *function = static_cast<SequenceFunction>(number);
    return true;
  }

  void RequireType(std::string_view table) {
    if (failed_ || table.find(':') != std::string_view::npos) return;
    Fail("table is not of the form TYPE:NAME", kTableAttribute, table);
  }

  // The attributes that all requests begin with.
  bool TakeTableAndFlags(RequestKind kind, Dialect dialect, std::string_view* table,
                         std::uint32_t* instance_flags, std::uint32_t* flags) {
    if (!TakeText(kTableAttribute, table)) return false;
    *table = StripProxyPrefixes(*table);
    switch (dialect) {
      case Dialect::kLegacy:
        if (!TakeNumber(kFlagsAttribute, flags)) return false;
        *instance_flags = *flags;
        return true;
      case Dialect::kInstanceFlags:
        if (!TakeNumber(kInstanceFlagsAttribute, instance_flags)) return false;
        return kind == RequestKind::kOpen || TakeNumber(kFlagsAttribute, flags);
    }
    return false;
  }

  bool failed() const { return failed_; }
  std::size_t left() const { return list_.count() - next_; }

 private:
  bool Fail(std::string_view reason, std::string_view attribute, std::string_view found) {
    malformed_->reason = reason;
    malformed_->attribute = attribute;
    malformed_->found = found;
    failed_ = true;
    return false;
  }

  const AttributeList& list_;
  Malformed* malformed_;
  std::size_t next_ = 1;  // behind `request`
  bool failed_ = false;
};

Dialect DialectOf(const AttributeList& list, Dialect last_dialect) {
  if (list.kept() < 3 || list[1].name != kTableAttribute) return last_dialect;
  return DialectOfAttribute(list[2].name).value_or(last_dialect);
}

}  // namespace

ParseResult ParseRequest(const AttributeList& list, Dialect last_dialect) {
  if (list.empty()) return Unanswered{"empty attribute list", {}};
  if (list[0].name != kRequestAttribute) {
    return Unanswered{"attribute list does not begin with `request`", list[0].name};
  }

  Malformed malformed;
  malformed.kind = RequestKindByName(list[0].value);
  malformed.dialect = DialectOf(list, last_dialect);
  AttributeCursor cursor(list, &malformed);
  Request request;
  request.dialect = malformed.dialect;

  switch (malformed.kind) {
    case RequestKind::kOpen: {
      OpenRequest& open = request.operation.emplace<OpenRequest>();
      std::uint32_t flags = 0;
      cursor.TakeTableAndFlags(malformed.kind, request.dialect, &open.table, &open.instance_flags,
                               &flags);
      cursor.RequireType(open.table);
      break;
    }
    case RequestKind::kLookup: {
      LookupRequest& lookup = request.operation.emplace<LookupRequest>();
      cursor.TakeTableAndFlags(malformed.kind, request.dialect, &lookup.table,
                               &lookup.instance_flags, &lookup.flags);
      cursor.TakeText(kKeyAttribute, &lookup.key);
      cursor.RequireType(lookup.table);
      break;
    }
    case RequestKind::kUpdate: {
      UpdateRequest& update = request.operation.emplace<UpdateRequest>();
      cursor.TakeTableAndFlags(malformed.kind, request.dialect, &update.table,
                               &update.instance_flags, &update.flags);
      cursor.TakeText(kKeyAttribute, &update.key);
      cursor.TakeText(kValueAttribute, &update.value);
      break;
    }
    case RequestKind::kDelete: {
      DeleteRequest& erase = request.operation.emplace<DeleteRequest>();
      cursor.TakeTableAndFlags(malformed.kind, request.dialect, &erase.table, &erase.instance_flags,
                               &erase.flags);
      cursor.TakeText(kKeyAttribute, &erase.key);
      break;
    }
    case RequestKind::kSequence: {
      SequenceRequest& sequence = request.operation.emplace<SequenceRequest>();
      cursor.TakeTableAndFlags(malformed.kind, request.dialect, &sequence.table,
                               &sequence.instance_flags, &sequence.flags);
      cursor.TakeFunction(&sequence.function);
      cursor.RequireType(sequence.table);
      break;
    }
    case RequestKind::kUnknown:
      malformed.reason = "unknown request";
      malformed.attribute = kRequestAttribute;
      malformed.found = list[0].value;
      return malformed;
  }
  if (cursor.failed()) return malformed;
  request.extra_attributes = cursor.left();
  return request;
}

}  // namespace proxymux::protocol
