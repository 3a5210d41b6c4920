// Makes a request of an attribute list, or says how the list is to be refused. Pure: no state, no
// allocation.
//
// The order of attributes is strict, as in stock. What stock does and we do too: a list that begins
// with `request` but goes on wrongly is answered BAD in the shape of that request's reply; a list
// that does not begin with `request` gets no answer at all; attributes after the last expected one
// are ignored. In either case the connection goes on with the next list.
//
// Order of refusals: a malformed list is BAD before anything else is looked at. Of a well-formed
// one, a table without a colon is BAD before approval is asked (which could make it DENY), except
// in update and delete: those a read-only service denies whatever the table, so the parser lets
// such a table pass in them.
#pragma once

#include <string_view>
#include <variant>

#include "protocol/attribute_codec.h"
#include "protocol/dialect.h"
#include "protocol/request.h"

namespace proxymux::protocol {

// To be answered BAD (AppendBadReply) with a warning.
struct Malformed {
  RequestKind kind = RequestKind::kUnknown;  // the shape of the reply
  Dialect dialect = Dialect::kLegacy;
  std::string_view reason;     // static text, such as "attribute is not a number"
  std::string_view attribute;  // the attribute that was expected there; static text
  std::string_view
      found;  // what the client sent instead, a view into its bytes; empty when nothing is there
};

// To be warned about and not answered.
struct Unanswered {
  std::string_view reason;  // static text
  std::string_view found;   // the name of the list's first attribute; empty for an empty list
};

using ParseResult = std::variant<Request, Malformed, Unanswered>;

// `last_dialect` is that of the connection's last Request, Dialect::kLegacy before there was one.
// It decides the shape of a BAD reply to a list that does not tell its dialect.
ParseResult ParseRequest(const AttributeList& list, Dialect last_dialect);

}  // namespace proxymux::protocol
