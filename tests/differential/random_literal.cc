#include "tests/differential/random_literal.h"

#include <cstddef>

namespace proxymux::differential {
namespace {

std::string DoubledQuotes(std::string_view inside) {
  std::string text;
  for (const char c : inside) {
    text += c;
    if (c == '\'') text += '\'';
  }
  return text;
}

// Up to where a literal may be cut: not inside of a placeholder.
std::size_t SomeCut(RandomSource& random, std::string_view inside) {
  std::size_t cut = random.Below(inside.size() + 1);
  std::size_t at = 0;
  while (at < cut) at += inside[at] == '%' ? 2 : 1;
  return at > inside.size() ? inside.size() : at;
}

}  // namespace

std::string PlainLiteral(std::string_view inside) { return "'" + DoubledQuotes(inside) + "'"; }

std::string RandomLiteral(RandomSource& random, std::string_view inside) {
  const std::size_t roll = random.Below(100);
  if (roll < 82) return PlainLiteral(inside);
  if (roll < 86) {
    static const char* const kBetween[] = {"\r", " \r  ", " -- it's \"one\" literal, $1\r ",
                                           "\r\f\t"};
    const std::size_t cut = SomeCut(random, inside);
    return PlainLiteral(inside.substr(0, cut)) + random.Word(kBetween) +
           PlainLiteral(inside.substr(cut));
  }
  if (roll < 92) {
    static const char* const kPrefixes[] = {"E'", "e'"};
    static const char* const kTails[] = {"", "", "", "", "", "\\x20", "\\u00e9", "\\'", "\\\\"};
    return random.Word(kPrefixes) + DoubledQuotes(inside) + random.Word(kTails) + "'";
  }
  if (roll < 94) {
    static const char* const kTails[] = {"'", "'", "'", "' UESCAPE '!'", "\\0041'"};
    return "U&'" + DoubledQuotes(inside) + random.Word(kTails);
  }
  if (roll < 96) return random.Word({"N'", "n'"}) + DoubledQuotes(inside) + "'";
  static const char* const kTags[] = {"$$", "$tag$", "$a_1$", "$é$"};
  const std::string tag = random.Word(kTags);
  return tag + std::string(inside) + tag;
}

}  // namespace proxymux::differential
