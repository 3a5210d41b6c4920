#include "pgsql/sql/sample_query.h"

namespace proxymux::pgsql {

std::string_view Placeholder::In(const KeyParts& key) const {
  switch (field) {
    case KeyField::kKey:
      return key.key();
    case KeyField::kUser:
      return key.user();
    case KeyField::kDomain:
      return key.domain();
    case KeyField::kLabel:
      return key.Label(label);
  }
  return {};
}

PlaceholderContext ContextOf(TokenKind kind) {
  switch (kind) {
    case TokenKind::kLiteral:
    case TokenKind::kNationalLiteral:
      return PlaceholderContext::kLiteral;
    case TokenKind::kEscapeLiteral:
      return PlaceholderContext::kEscapeLiteral;
    case TokenKind::kBitLiteral:
    case TokenKind::kUnicodeLiteral:
      return PlaceholderContext::kOtherLiteral;
    case TokenKind::kDollarLiteral:
      return PlaceholderContext::kDollarLiteral;
    case TokenKind::kQuotedIdentifier:
    case TokenKind::kUnicodeIdentifier:
      return PlaceholderContext::kQuotedIdentifier;
    case TokenKind::kComment:
      return PlaceholderContext::kComment;
    case TokenKind::kIdentifier:
    case TokenKind::kNumber:
    case TokenKind::kParameter:
    case TokenKind::kOperator:
    case TokenKind::kPunctuation:
    case TokenKind::kOther:
      return PlaceholderContext::kUnquoted;
  }
  return PlaceholderContext::kUnquoted;
}

}  // namespace proxymux::pgsql
