#include "proxy/tables/key_preparation.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "proxy/text/key_fold.h"
#include "tests/pgsql/table/compiled_tables.h"

namespace proxymux::proxy {
namespace {

using protocol::Dialect;
using protocol::Folding;
using Kind = pgsql::Preparation::Kind;
using Table = std::shared_ptr<const pgsql::CompiledTable>;

constexpr KeyRules kAsIs{};
constexpr KeyRules kAscii{false, Folding::kAscii, false};
constexpr KeyRules kUnicode{true, Folding::kUnicode, true};

// Of a table file with a query and these lines more.
Table Compile(const std::string& lines) {
  return pgsql::Compiled(pgsql::TableOfFile("query = SELECT a FROM t WHERE b = '%s'\n" + lines), {},
                         [](std::string_view domain) {
                           std::string folded;
                           FoldDomain(domain, true, &folded);
                           return folded;
                         });
}

KeyRules RulesOf(std::uint32_t instance_flags, std::uint32_t flags, bool smtputf8_enable,
                 Dialect dialect = Dialect::kInstanceFlags) {
  return KeyRulesOf({"pgsql:/t.cf", instance_flags, flags, "key"}, dialect, smtputf8_enable);
}

TEST(KeyRules, Utf8IsTheOpenedTablesAndFoldingTheLookups) {
  constexpr std::uint32_t kFold = protocol::kFlagFoldFix | protocol::kFlagFixed;
  EXPECT_TRUE(RulesOf(protocol::kFlagUtf8Request, 0, true).utf8_active);
  EXPECT_FALSE(RulesOf(protocol::kFlagUtf8Request, 0, false).utf8_active);
  EXPECT_FALSE(RulesOf(0, protocol::kFlagUtf8Request, true).utf8_active);
  EXPECT_EQ(RulesOf(protocol::kFlagUtf8Request, kFold, true).folding, Folding::kUnicode);
  EXPECT_EQ(RulesOf(protocol::kFlagUtf8Request, kFold, false).folding, Folding::kAscii);
  EXPECT_EQ(RulesOf(kFold, 0, true).folding, Folding::kNone);
  EXPECT_EQ(
      RulesOf(protocol::kFlagUtf8Request, protocol::kFlagFoldFix, true, Dialect::kLegacy).folding,
      Folding::kAscii);
  EXPECT_TRUE(RulesOf(0, 0, true).smtputf8_enable);
}

TEST(KeyPreparation, FoldsAsTheRulesSayAndTellsWhatItDid) {
  const Table table = Compile("");
  KeyPreparation preparation;
  const std::string key =
      "\xc3\x84"
      "bc@Example.COM";
  EXPECT_EQ(preparation.Prepare(*table, key, kAsIs).key, key);
  EXPECT_EQ(preparation.Prepare(*table, key, kAsIs).folding, Folding::kNone);
  EXPECT_EQ(preparation.Prepare(*table, key, kAscii).key,
            "\xc3\x84"
            "bc@example.com");
  EXPECT_EQ(preparation.Prepare(*table, key, kAscii).folding, Folding::kAscii);
  EXPECT_EQ(preparation.Prepare(*table, key, kUnicode).key,
            "\xc3\xa4"
            "bc@example.com");
  EXPECT_EQ(preparation.Prepare(*table, key, kUnicode).folding, Folding::kUnicode);
}

TEST(KeyPreparation, AKeyThatIsNotUtf8IsNoneWhereItHasToBe) {
  const Table table = Compile("");
  KeyPreparation preparation;
  const PreparedKey refused = preparation.Prepare(*table, "A\xff", kUnicode);
  EXPECT_FALSE(refused.valid);
  EXPECT_EQ(refused.key, "A\xff");
  const PreparedKey bytes = preparation.Prepare(*table, "A\xff", kAscii);
  EXPECT_TRUE(bytes.valid);
  EXPECT_EQ(bytes.key, "a\xff");
  EXPECT_EQ(bytes.preparation.kind, Kind::kQuery);
}

TEST(KeyPreparation, WhatTheTableAsksOfAKeyIsAskedOfTheFoldedOne) {
  const Table table = Compile("domain = example.com\n");
  KeyPreparation preparation;
  const PreparedKey listed = preparation.Prepare(*table, "u@EXAMPLE.com", kAsIs);
  EXPECT_EQ(listed.preparation.kind, Kind::kQuery) << "the domain is folded, the key is not";
  EXPECT_EQ(listed.key, "u@EXAMPLE.com");
  EXPECT_EQ(listed.folded_domain, "example.com");
  const PreparedKey other = preparation.Prepare(*table, "u@example.org", kAscii);
  EXPECT_EQ(other.preparation.kind, Kind::kNotFound);
  EXPECT_EQ(other.preparation.reason, pgsql::NoQueryReason::kDomainNotListed);
  EXPECT_EQ(preparation.Prepare(*table, "", kAscii).preparation.kind, Kind::kNotFound);
}

TEST(KeyPreparation, ATableInADomainListIsForTheCallerToAsk) {
  const Table table = Compile("domain = hash:/domains\n");
  KeyPreparation preparation;
  const PreparedKey waits = preparation.Prepare(*table, "u@\xc3\x84.org", kUnicode);
  EXPECT_EQ(waits.preparation.kind, Kind::kNeedTable);
  EXPECT_EQ(waits.preparation.domain.text, "hash:/domains");
  EXPECT_EQ(waits.folded_domain, "\xc3\xa4.org");
}

TEST(KeyPreparation, NoDomainIsFoldedWhereNoneIsAsked) {
  const Table listed = Compile("domain = example.com\n");
  const Table any = Compile("");
  KeyPreparation preparation;
  EXPECT_EQ(preparation.Prepare(*listed, "u@example.com", kAscii).folded_domain, "example.com");
  EXPECT_EQ(preparation.Prepare(*any, "u@example.org", kAscii).folded_domain, "");
}

}  // namespace
}  // namespace proxymux::proxy
