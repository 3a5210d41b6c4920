#include "proxy/tables/table_failures.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace proxymux::proxy {
namespace {

// Shorter words are found in others by chance: they count only when they stand alone.
constexpr std::size_t kTellingLength = 4;
// A server cuts names (63 bytes): that much of a word gives it away.
constexpr std::size_t kTellingPart = 8;

bool IsWordByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || std::isalnum(byte) != 0;
}

std::string Lowered(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lowered;
}

// Takes the next word off the front; empty at the end.
std::string_view TakeWord(std::string_view* text) {
  while (!text->empty() && !IsWordByte(text->front())) text->remove_prefix(1);
  std::size_t length = 0;
  while (length < text->size() && IsWordByte((*text)[length])) ++length;
  const std::string_view word = text->substr(0, length);
  text->remove_prefix(length);
  return word;
}

bool Tells(std::string_view word, std::string_view of_key) {
  return word == of_key ||
         (of_key.size() >= kTellingLength && word.find(of_key) != std::string_view::npos) ||
         (word.size() >= kTellingPart && of_key.find(word) != std::string_view::npos);
}

bool ShareAWord(std::string_view text, std::string_view key) {
  const std::string lowered_text = Lowered(text);
  const std::string lowered_key = Lowered(key);
  std::string_view words = lowered_text;
  for (std::string_view word = TakeWord(&words); !word.empty(); word = TakeWord(&words)) {
    std::string_view key_words = lowered_key;
    for (std::string_view of_key = TakeWord(&key_words); !of_key.empty();
         of_key = TakeWord(&key_words)) {
      if (Tells(word, of_key)) return true;
    }
  }
  return false;
}

}  // namespace

std::string ErrorWithoutKey(const pgsql::Answer& answer) {
  if (answer.reason.empty()) return "the result is not valid UTF-8";
  // The host's name is ours, also when it has a word in common with the key.
  std::string host;
  std::string_view words = answer.reason;
  if (!answer.origin.host.empty() && words.starts_with(answer.origin.host)) {
    host = std::string(answer.origin.host) + ": ";
    words.remove_prefix(std::min(host.size(), words.size()));
  }
  constexpr std::string_view kState = " (SQLSTATE ";
  const std::size_t at = words.rfind(kState);
  const std::string_view state = at == std::string_view::npos ? "" : words.substr(at);
  if (!ShareAWord(words.substr(0, at), answer.key)) return std::string(answer.reason);
  return host + "an error that names the key; the log has it" + std::string(state);
}

void TableFailures::OnFailed(std::string error, pgsql::RealTime now) {
  ++in_a_row_;
  error_ = std::move(error);
  failed_at_ = now;
}

void TableFailures::OnFailed(const pgsql::Answer& answer, pgsql::RealTime now) {
  OnFailed(ErrorWithoutKey(answer), now);
}

}  // namespace proxymux::proxy
