#include "proxy/check/query_traps.h"

#include <algorithm>
#include <string_view>

#include "pgsql/sql/sql_lexer.h"

namespace proxymux::proxy {
namespace {

using pgsql::Token;
using pgsql::TokenKind;

bool HoldsPlaceholder(std::string_view text) {
  for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 2)) {
    if (at + 1 < text.size() && text[at + 1] != '%') return true;
  }
  return false;
}

}  // namespace

void CheckQuery(const pgsql::QueryTemplate& query, const std::string& file,
                const config::TextPlace& place, Findings* findings) {
  for (const Token& token : query.tokens()) {
    const std::string_view text = token.In(query.source());
    const int line = place.LineAt(token.begin);
    const bool to_line_end = token.kind == TokenKind::kComment && text.starts_with("--");
    if (token.unterminated && !to_line_end) {
      findings->Error(file, line,
                      token.kind == TokenKind::kComment
                          ? "query: a comment that begins here does not end"
                          : "query: a quote that begins here is not closed",
                      token.kind == TokenKind::kComment ? "write */ at its end"
                                                        : "close it; within quotes write it twice");
      continue;
    }
    if (!to_line_end) continue;
    const bool reaches_further = std::ranges::any_of(place.breaks, [&](const auto& line_break) {
      return line_break.offset > token.begin && line_break.offset < token.end;
    });
    if (!reaches_further) continue;
    // The lines that it was not meant for.
    const auto next = std::ranges::find_if(
        place.breaks, [&](const auto& line_break) { return line_break.offset > token.begin; });
    const std::string text_of_comment =
        "query: all behind this -- is a comment, since the lines of a value are joined";
    const std::string hint = "write /* */ around the comment";
    if (HoldsPlaceholder(query.source().substr(next->offset, token.end - next->offset))) {
      findings->Error(file, line, text_of_comment + ", also the key: every key has one answer",
                      hint);
    } else {
      findings->Warning(file, line, text_of_comment, hint);
    }
  }
}

}  // namespace proxymux::proxy
