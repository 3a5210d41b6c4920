#include "pgsql/sql/query_template.h"

#include <algorithm>
#include <utility>

namespace proxymux::pgsql {
namespace {

// What to say about a placeholder there; empty when every key may stand there.
std::string_view Caution(PlaceholderContext context, UnquotedValues unquoted) {
  switch (context) {
    case PlaceholderContext::kLiteral:
    case PlaceholderContext::kEscapeLiteral:
    case PlaceholderContext::kOtherLiteral:
      return "";
    case PlaceholderContext::kAfterBackslash:
      return "a placeholder follows a backslash in E'...': a key that begins with a quote or a "
             "backslash is answered RETRY";
    case PlaceholderContext::kDollarLiteral:
      return "a placeholder stands in a dollar-quoted literal: a key that would end the literal is "
             "answered RETRY; write it in plain quotes ('%s')";
    case PlaceholderContext::kQuotedIdentifier:
      return "a placeholder stands in a quoted identifier: whoever chooses the key chooses the "
             "name, and a key that would end it is answered RETRY";
    case PlaceholderContext::kComment:
      return "a placeholder stands in a comment: a key that would end the comment is answered "
             "RETRY";
    case PlaceholderContext::kUnquoted:
      return unquoted == UnquotedValues::kAny
                 ? "a placeholder stands outside of quotes and unquoted_placeholders is any: "
                   "whoever chooses the key can change the statement; write it in quotes ('%s')"
                 : "a placeholder stands outside of quotes: a key that is not a plain number is "
                   "answered RETRY; write it in quotes ('%s'), or set statement_mode = prepared";
  }
  return "";
}

}  // namespace

PlaceholderAt ReadPlaceholder(std::string_view text, std::size_t at) {
  if (at + 1 >= text.size()) return {0, "'%' at the end; write %% for a percent sign"};
  const char letter = text[at + 1];
  switch (letter) {
    case '%':
    case 's':
    case 'S':
    case 'u':
    case 'U':
    case 'd':
    case 'D':
      return {letter, ""};
    default:
      if (letter >= '1' && letter <= '9') return {letter, ""};
      return {0,
              "'%' must be followed by one of s S u U d D 1-9 or %; write %% for a percent sign"};
  }
}

std::variant<QueryTemplate, TemplateError> QueryTemplate::Compile(std::string_view query,
                                                                  UnquotedValues unquoted) {
  QueryTemplate result;
  result.source_ = query;
  SampleQuery sample;
  for (std::size_t i = 0; i < query.size(); ++i) {
    if (query[i] != '%') {
      sample.text.push_back(query[i]);
      continue;
    }
    const PlaceholderAt read = ReadPlaceholder(query, i);
    if (read.letter == 0) return TemplateError{i, read.error};
    Placeholder placeholder;
    placeholder.at = sample.text.size();
    placeholder.offset = i++;
    switch (read.letter) {
      case '%':
        sample.text.push_back('%');
        continue;
      case 's':
      case 'S':
        placeholder.field = KeyField::kKey;
        break;
      case 'u':
      case 'U':
        placeholder.field = KeyField::kUser;
        result.requirements_.user = true;
        break;
      case 'd':
      case 'D':
        placeholder.field = KeyField::kDomain;
        result.requirements_.domain = true;
        break;
      default:
        placeholder.field = KeyField::kLabel;
        placeholder.label = static_cast<std::size_t>(read.letter - '0');
        result.requirements_.domain = true;
        result.requirements_.labels = std::max(result.requirements_.labels, placeholder.label);
        break;
    }
    sample.text.push_back(SampleQuery::kValue);
    sample.placeholders.push_back(placeholder);
  }

  const std::string_view source = result.source_;
  result.tokens_ = LexSql(source);
  result.depends_on_backslash_rule_ =
      LexSql(source, BackslashInLiteral::kEscapes) != result.tokens_;
  result.LookAround(sample, unquoted);
  result.bind_in_quotes_ = BindPlan(sample, Bound::kInQuotes);
  result.bind_everywhere_ = BindPlan(sample, Bound::kEverywhere);
  result.text_ = TextPlan(std::move(sample), unquoted);
  return result;
}

// Sets what depends on the places of the placeholders.
void QueryTemplate::LookAround(const SampleQuery& sample, UnquotedValues unquoted) {
  const std::vector<Token> tokens = LexSql(sample.text);
  auto token = tokens.begin();
  for (const Placeholder& placeholder : sample.placeholders) {
    while (token->end <= placeholder.at) ++token;  // a digit is always inside of a token
    PlaceholderContext context = ContextOf(token->kind);
    if (context == PlaceholderContext::kEscapeLiteral) {
      std::size_t run = 0;
      while (sample.text[placeholder.at - run - 1] == '\\') ++run;  // ends at the quote
      if (run % 2 == 1) context = PlaceholderContext::kAfterBackslash;
    }
    const bool number = token->kind == TokenKind::kNumber && unquoted == UnquotedValues::kNumbers;
    has_open_placeholder_ = has_open_placeholder_ ||
                            context == PlaceholderContext::kQuotedIdentifier ||
                            context == PlaceholderContext::kDollarLiteral ||
                            (context == PlaceholderContext::kUnquoted && !number);
    const std::string_view caution = Caution(context, unquoted);
    if (caution.empty() || std::any_of(cautions_.begin(), cautions_.end(),
                                       [&](const TemplateError& e) { return e.text == caution; })) {
      continue;
    }
    cautions_.push_back({placeholder.offset, std::string(caution)});
  }
}

}  // namespace proxymux::pgsql
