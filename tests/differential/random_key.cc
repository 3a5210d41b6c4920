#include "tests/differential/random_key.h"

#include <algorithm>
#include <cstddef>

#include "tests/differential/keys.h"
#include "tests/differential/schema_keys.h"

namespace proxymux::differential {
namespace {

// The few long fixed keys cost as much time as hundreds of others: nearly always another one.
const std::string& SomeFixedKey(RandomSource& random) {
  for (;;) {
    const std::string& key = random.Pick(FixedKeys()).text;
    if (key.size() <= 300 || random.OneIn(20)) return key;
  }
}

std::string UpperAt(std::string key, RandomSource& random) {
  for (char& c : key) {
    if (c >= 'a' && c <= 'z' && random.OneIn(2)) c = static_cast<char>(c - 'a' + 'A');
  }
  return key;
}

std::string UserOf(const std::string& key) { return key.substr(0, key.rfind('@')); }
std::string DomainOf(const std::string& key) {
  const std::size_t at = key.rfind('@');
  return at == std::string::npos ? key : key.substr(at + 1);
}

std::string Fragment(RandomSource& random) {
  static const char* const kFragments[] = {
      "'",
      "\"",
      "\\",
      "%",
      "_",
      "@",
      ".",
      "+",
      "--",
      ";",
      " ",
      "$$",
      "$1",
      "*/",
      "/*",
      "\t",
      "\n",
      "\r",
      "é",
      "ß",
      "ς",
      "İ",
      "漢",
      "\xf0\x9f",
      "\xc3",
      "\xff",
      "0",
      "-",
      "(",
      ")",
      ",",
      "{",
      "}",
      "[",
      "u\xcc\x88"
      "",
      "%s",
      "''",
      "\\'",
      "=",
      "<",
      "\x01",
      "\x7f",
      "ﬁ",
      "x",
      "NULL",
      "a",
      ":",
      "\xc2\xa0"
      "",
      "#",
      "!",
  };
  return random.Word(kFragments);
}

// One small change anywhere.
std::string Mutated(std::string key, RandomSource& random) {
  const std::size_t at = random.Below(key.size() + 1);
  switch (random.Below(6)) {
    case 0:
    case 1:
      key.insert(at, Fragment(random));
      break;
    case 2:
      key.erase(at, random.Between(1, 3));
      break;
    case 3:
      if (at < key.size()) key[at] = static_cast<char>(random.Between(1, 255));
      break;
    case 4:
      key.insert(at, key.substr(random.Below(key.size() + 1), random.Between(1, 12)));
      break;
    case 5:
      if (at + 1 < key.size()) std::swap(key[at], key[at + 1]);
      break;
  }
  return key;
}

std::string Combined(RandomSource& random) {
  const auto part = [&] {
    return random.Percent(70) ? RandomSchemaValue(random) : SomeFixedKey(random);
  };
  switch (random.Below(4)) {
    case 0:
      return UserOf(part()) + "@" + DomainOf(part());
    case 1:
      return UserOf(part()) + "+" + UserOf(part()) + "@" + DomainOf(part());
    case 2:
      return UserOf(part()) + "@" + random.Word({"mail", "a.b", "x", "www"}) + "." +
             DomainOf(part());
    default:
      return part() + random.Word({",", " ", "@", "'", ""}) + part();
  }
}

}  // namespace

std::string RandomKey(RandomSource& random) {
  std::string key;
  const std::size_t roll = random.Below(100);
  if (roll < 50) {
    key = RandomSchemaValue(random);
  } else if (roll < 58) {
    key = UpperAt(RandomSchemaValue(random), random);
  } else if (roll < 75) {
    key = SomeFixedKey(random);
  } else if (roll < 88) {
    key = random.OneIn(4) ? SomeFixedKey(random) : RandomSchemaValue(random);
    for (std::size_t changes = random.Between(1, 3); changes > 0; --changes)
      key = Mutated(std::move(key), random);
  } else {
    key = Combined(random);
  }
  return key.empty() ? "x" : key;
}

}  // namespace proxymux::differential
