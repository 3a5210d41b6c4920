#include "tests/differential/schema_keys.h"

#include <cstddef>

namespace proxymux::differential {
namespace {

std::string Domain(std::size_t n) {
  constexpr const char* kEnds[] = {".com", ".net", ".co.uk"};
  return "example" + std::to_string(n) + kEnds[n % 3];
}

std::string At(const std::string& user, std::size_t n) {
  return user + std::to_string(n) + "@" + Domain(n % 200);
}

}  // namespace

std::vector<NamedKey> SchemaKeys() {
  return {
      {"hit-mailbox", At("user", 1)},
      {"hit-mailbox-2", At("user", 2)},
      {"hit-mailbox-inactive", At("user", 5)},
      {"hit-mailbox-upper", "USER3@EXAMPLE3.COM"},
      {"hit-mailbox-mixed", "User4@Example4.Net"},
      {"hit-mailbox-capitals", "Mixed.Case@Example.Com"},
      {"hit-mailbox-apostrophe", "o'brien@example3.com"},
      {"hit-mailbox-latin", "jürgen@müller.example"},
      {"hit-mailbox-latin-upper", "JÜRGEN@MÜLLER.EXAMPLE"},
      {"hit-mailbox-cyrillic", "иван@example5.co.uk"},
      {"hit-mailbox-backslash", "back\\slash@example6.com"},
      {"hit-mailbox-percent", "percent%under_score@example7.net"},
      {"hit-mailbox-quoted", "\"quoted local\"@example8.co.uk"},
      {"hit-mailbox-number", "12345"},
      {"hit-mailbox-two-ats", "two@at@example9.com"},
      {"hit-mailbox-plus", "user7+tag@example7.net"},
      {"hit-user", "user12"},
      {"hit-code", "c12"},
      {"hit-alias", At("alias", 1)},
      {"hit-alias-several", At("alias", 10)},
      {"hit-alias-inactive", At("alias", 11)},
      {"hit-alias-expired", At("alias", 13)},
      {"hit-alias-empty", At("alias", 89)},
      {"hit-alias-null", At("alias", 97)},
      {"hit-alias-upper", "ALIAS3@EXAMPLE3.COM"},
      {"hit-catch-all", "@" + Domain(50)},
      {"hit-postmaster", "postmaster@example0.com"},
      {"hit-owner", "owner-list@example0.com"},
      {"hit-request", "list-request@example0.com"},
      {"hit-sharp-s", "straße@müller.example"},
      {"hit-sharp-s-folded", "strasse@müller.example"},
      {"hit-lines", "lines@example0.com"},
      {"hit-final-sigma", "σίσυφος@παράδειγμα.example"},
      {"hit-medial-sigma", "σίσυφοσ@παράδειγμα.example"},
      {"hit-no-domain", "nodomain"},
      {"hit-empty-domain", "bad@"},
      {"hit-blank", "blank @example0.com"},
      {"hit-list", "list1@example0.com"},
      {"hit-list-long", "list30@example0.com"},
      {"hit-domain", Domain(1)},
      {"hit-domain-inactive", Domain(7)},
      {"hit-domain-upper", "EXAMPLE2.CO.UK"},
      {"hit-domain-sub", "sub.example1.net"},
      {"hit-domain-latin", "müller.example"},
      {"hit-domain-apostrophe", "o'brien.example"},
      {"hit-alias-domain", "alias1.example"},
      {"hit-alias-domain-user", "user1@alias1.example"},
      {"hit-transport", "example1.org"},
      {"hit-transport-dot", ".example4.org"},
      {"hit-transport-user", "anybody@example2.org"},
      {"hit-network", "10.7.3.1"},
      {"hit-network-6", "2001:db8::1"},
      {"hit-access", "spam_2@example.org"},
      {"hit-body", "percent"},
      {"hit-body-newline", "newline"},
      {"hit-body-8k", "size8192"},
      {"hit-state", "suspended"},
      {"hit-uuid", "0cc175b9-c0f1-b6a8-31c3-99e269772661"},
  };
}

std::string RandomSchemaValue(RandomSource& random) {
  static const std::vector<NamedKey> named = SchemaKeys();
  const std::size_t n = random.Below(random.OneIn(3) ? 30 : 3000);
  switch (random.Below(16)) {
    case 0:
    case 1:
    case 2:
      return At("user", n);
    case 3:
    case 4:
      return At("alias", n);
    case 5:
    case 6:
      return Domain(n % 200);
    case 7:
      return "list" + std::to_string(1 + n % 30) + "@example0.com";
    case 8:
      return (random.OneIn(2) ? "user" : "alias") + std::to_string(n);
    case 9:
      return "alias" + std::to_string(n % 100) + ".example";
    case 10:
      return std::string(n % 4 == 0 ? "." : "") + "example" + std::to_string(n % 200) + ".org";
    case 11:
      return std::to_string(n % 300);
    case 12:
      return "someone" + std::to_string(n) + "@" + Domain(n % 200);
    case 13:
      return "@" + Domain(n % 200);
    default:
      return random.Pick(named).text;
  }
}

std::string RandomHit(RandomSource& random, std::string_view sql) {
  const std::size_t n = 1 + random.Below(random.OneIn(2) ? 40 : 2900);
  const auto named = [&](std::string_view word) {
    return sql.find(word) != std::string_view::npos;
  };
  std::vector<std::string> hits;
  if (named("mailbox") || named("virtual_user") || named("sender_login"))
    hits.push_back(At("user", n));
  if (named("alias ") || named("alias\n") || named("alias_of") || named("Mixed Case"))
    hits.push_back(At("alias", n));
  if (named("other.alias"))
    hits.push_back("alias" + std::to_string(n % 51) + "@example" + std::to_string(n % 51) + ".com");
  if (named("member") || named("aliases_of"))
    hits.push_back("list" + std::to_string(1 + n % 30) + "@example0.com");
  if (named(" domain ")) hits.push_back((n % 3 == 0 ? "user@" : "") + Domain(n % 200));
  if (named("alias_domain"))
    hits.push_back(std::string(n % 3 == 0 ? "user@alias" : "alias") + std::to_string(n % 100) +
                   ".example");
  if (named("transport") || named("route"))
    hits.push_back(std::string(n % 4 == 0   ? ".example"
                               : n % 4 == 1 ? "user@example"
                                            : "example") +
                   std::to_string(n % 200) + ".org");
  if (named("access")) hits.push_back("spam_" + std::to_string(n % 100) + "@example.org");
  if (named("number")) hits.push_back(std::to_string(n % 300));
  return hits.empty() ? RandomSchemaValue(random) : random.Pick(hits);
}

}  // namespace proxymux::differential
