#include "pgsql/table/statement_effects.h"

#include <charconv>
#include <chrono>
#include <vector>

namespace proxymux::pgsql {
namespace {

// Twice within kTrusted: an answer that is late leaves no gap.
constexpr Duration kAskAgain = CatalogueWatch::kTrusted / 2;
// A question is waited for that long.
constexpr Duration kPatience = std::chrono::seconds(5);

// An array literal of names (PostgreSQL manual, "Array Input and Output Syntax").
std::string ArrayLiteral(const std::vector<std::string>& names) {
  std::string text = "{";
  for (const std::string& name : names) {
    if (text.size() > 1) text += ',';
    text += '"';
    for (const char c : name) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text + "}";
}

// The text up to the next blank, which is taken off `*text` with it.
std::string_view TakeWord(std::string_view* text) {
  const std::size_t end = text->find(' ');
  const std::string_view word = text->substr(0, end);
  *text = end == std::string_view::npos ? std::string_view() : text->substr(end + 1);
  return word;
}

}  // namespace

std::array<std::string, 3> EffectsQuestion(const StatementClass& statement) {
  return {ArrayLiteral(statement.called_names), ArrayLiteral(statement.attribute_names),
          ArrayLiteral(statement.names)};
}

std::optional<std::uint64_t> ParseStamp(std::string_view text) {
  constexpr std::size_t kDigits = 16;  // of 32: as many as a number of 64 bits has
  const std::string_view digits = text.substr(0, kDigits);
  std::uint64_t stamp = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), stamp, 16);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) return std::nullopt;
  return stamp;
}

std::optional<StatementEffects> ParseEffects(std::string_view text) {
  StatementEffects effects;
  const std::string_view writes = TakeWord(&text);
  const std::string_view session = TakeWord(&text);
  const std::optional<std::uint64_t> stamp = ParseStamp(TakeWord(&text));
  if ((writes != "reads" && writes != "writes") || !stamp.has_value()) return std::nullopt;
  effects.may_write = writes == "writes";
  if (session == "shared") {
    effects.session = SessionUse::kShared;
  } else if (session == "transaction") {
    effects.session = SessionUse::kOwnTransaction;
  } else if (session != "session") {
    return std::nullopt;
  }
  effects.stamp = *stamp;
  effects.because = text;
  return effects;
}

bool CatalogueWatch::ShouldAsk(Time now) const {
  const auto of_late = [now](const std::optional<Time>& asked) {
    return asked.has_value() && now - *asked < kAskAgain;
  };
  return !of_late(last_asked_) && !of_late(answered_);  // what is asked for a proof counts also
}

void CatalogueWatch::OnAsked(Time now) {
  last_asked_ = now;
  if (!waiting_since_.has_value()) waiting_since_ = now;
}

bool CatalogueWatch::OnAnswered(Time asked, std::uint64_t stamp) {
  if (answered_.has_value() && asked < *answered_) return false;  // an older answer that came late
  const bool changed = answered_.has_value() && stamp != stamp_;
  stamp_ = stamp;
  answered_ = asked;
  if (waiting_since_.has_value() && *waiting_since_ <= asked) {
    waiting_since_.reset();
    if (*last_asked_ > asked) waiting_since_ = last_asked_;
  }
  return changed;
}

bool CatalogueWatch::Fresh(Time now) const {
  if (!answered_.has_value()) return false;
  if (now - *answered_ <= kTrusted) return true;
  return waiting_since_.has_value() && *waiting_since_ - *answered_ <= kTrusted &&
         now - *waiting_since_ <= kPatience;
}

}  // namespace proxymux::pgsql
