#include "pgsql/table/compiled_table.h"

#include <gtest/gtest.h>

#include <string>

#include "pgsql/sql/sql_lexer.h"
#include "tests/pgsql/table/compiled_tables.h"

namespace proxymux::pgsql {
namespace {

using Kind = Preparation::Kind;
using Table = std::shared_ptr<const CompiledTable>;

CompiledTable::Errors Errors(const config::TableConfig& config) {
  auto result = Compile(config);
  const auto* errors = std::get_if<CompiledTable::Errors>(&result);
  return errors != nullptr ? *errors : CompiledTable::Errors{};
}
Preparation Prepare(const Table& table, std::string_view key) {
  const KeyParts parts(key);
  return table->Prepare(parts, LowerAscii(parts.domain()));
}
void ExpectNoQuery(const Table& table, std::string_view key, NoQueryReason reason) {
  const Preparation preparation = Prepare(table, key);
  EXPECT_EQ(preparation.kind, Kind::kNotFound) << key;
  EXPECT_EQ(preparation.reason, reason) << key << ": " << NoQueryText(preparation.reason);
}

TEST(CompiledTable, AKeyWithAllThatIsAskedForGoesToTheDatabase) {
  const Table table = Compiled(TableOfQuery("SELECT '%u' WHERE '%d' = '%1'"));
  EXPECT_EQ(Prepare(table, "u@d").kind, Kind::kQuery);
  EXPECT_EQ(Prepare(Compiled(TableOfQuery("SELECT '%u'")), "u@").kind, Kind::kQuery);
}

TEST(CompiledTable, SuppressesTheQueryWhenTheQueryTemplateLacksSomething) {
  ExpectNoQuery(Compiled(TableOfQuery()), "", NoQueryReason::kEmptyKey);
  ExpectNoQuery(Compiled(TableOfQuery("SELECT '%u'")), "@d", NoQueryReason::kNoUserPart);
  ExpectNoQuery(Compiled(TableOfQuery("SELECT '%d'")), "u", NoQueryReason::kNoDomainPart);
  ExpectNoQuery(Compiled(TableOfQuery("SELECT '%3'")), "u@a.b", NoQueryReason::kTooFewLabels);
}

TEST(CompiledTable, SuppressesTheQueryWhenTheResultFormatLacksSomething) {
  config::TableConfig config = TableOfQuery();
  config.result_format = "%U %2";
  const Table table = Compiled(config);
  ExpectNoQuery(table, "@a.b", NoQueryReason::kNoUserPart);
  ExpectNoQuery(table, "u@b", NoQueryReason::kTooFewLabels);
  EXPECT_EQ(Prepare(table, "u@a.b").kind, Kind::kQuery);
  config.result_format = "%d %u";  // of the element
  EXPECT_EQ(Prepare(Compiled(config), "u").kind, Kind::kQuery);
}

TEST(CompiledTable, ADomainListAdmitsFullAddressesOnly) {
  config::TableConfig config = TableOfQuery();
  config.domain = {"A.org"};
  const Table table = Compiled(config);
  EXPECT_EQ(Prepare(table, "u@a.ORG").kind, Kind::kQuery);
  for (const char* key : {"u", "a.org", "@a.org", "u@", "u@b.org"})
    ExpectNoQuery(table, key, NoQueryReason::kDomainNotListed);
}

TEST(CompiledTable, ADomainTableIsAskedAndTheRestDecidedAfterwards) {
  config::TableConfig config = TableOfQuery("SELECT '%2'");
  config.domain = {"hash:/etc/d"};
  const Table table = Compiled(config);
  const KeyParts key("u@b");
  const Preparation step = table->Prepare(key, "b");
  ASSERT_EQ(step.kind, Kind::kNeedTable);
  EXPECT_EQ(step.domain.text, "hash:/etc/d");
  const Preparation found = table->ResumePrepare(step, DomainFilter::TableAnswer::kFound, key, "b");
  EXPECT_EQ(found.kind, Kind::kNotFound);
  EXPECT_EQ(found.reason, NoQueryReason::kTooFewLabels);
  EXPECT_EQ(table->ResumePrepare(step, DomainFilter::TableAnswer::kFailed, key, "b").kind,
            Kind::kUnavailable);
  const Preparation absent =
      table->ResumePrepare(step, DomainFilter::TableAnswer::kNotFound, key, "b");
  EXPECT_EQ(absent.reason, NoQueryReason::kDomainNotListed);
}

TEST(CompiledTable, AnUnreadableDomainFileIsUnavailableAndWarned) {
  config::TableConfig config = TableOfQuery();
  config.domain = {"/nofile"};
  const Table table = Compiled(config);
  EXPECT_EQ(Prepare(table, "u@a.org").kind, Kind::kUnavailable);
  ASSERT_EQ(table->warnings().size(), 1u);
  EXPECT_EQ(table->warnings()[0].ToString(), "domain: /nofile: No such file or directory");
}

TEST(CompiledTable, ReportsEveryFaultAtOnce) {
  config::TableConfig config = TableOfQuery("SELECT '%x'");
  config.result_format = "%";
  config.domain = {"!"};
  config.hosts = {"db:x"};
  const CompiledTable::Errors errors = Errors(config);
  ASSERT_EQ(errors.size(), 4u);
  EXPECT_EQ(errors[0].ToString().find("query: character 9: "), 0u);
  EXPECT_EQ(errors[1].ToString().find("result_format: character 1: "), 0u);
  EXPECT_EQ(errors[2].ToString().find("domain: "), 0u);
  EXPECT_EQ(errors[3].ToString().find("hosts: \"db:x\": "), 0u);
}

// Outside of quotes numbers only, unless the settings allow all.
TEST(CompiledTable, WhatMayStandOutsideOfQuotesIsASetting) {
  const config::TableConfig config = TableOfQuery("SELECT v FROM t WHERE id = %s");
  config::TableSettings settings;
  EXPECT_FALSE(Compiled(config, settings)->query().has_open_placeholder());
  settings.unquoted_placeholders = config::UnquotedPlaceholders::kAny;
  EXPECT_TRUE(Compiled(config, settings)->query().has_open_placeholder());
}

TEST(CompiledTable, WantsAQueryHostsAndADatabase) {
  EXPECT_EQ(Errors(TableOfQuery("")).size(), 1u);
  config::TableConfig config = TableOfQuery();
  config.dbname.clear();
  EXPECT_EQ(Errors(config).size(), 1u);
  config.hosts = {"postgresql://db/mail"};
  EXPECT_EQ(Errors(config).size(), 0u);
  config.hosts = {};
  EXPECT_EQ(Errors(config).size(), 1u);
}

TEST(CompiledTable, ABadHostAmongGoodOnesIsWarnedAndLeftOut) {
  config::TableConfig config = TableOfQuery();
  config.hosts = {"::1", "db2"};
  const Table table = Compiled(config);
  ASSERT_EQ(table->hosts().size(), 1u);
  EXPECT_EQ(table->hosts()[0].name, "db2");
  EXPECT_EQ(table->warnings().size(), 1u);
}

TEST(CompiledTable, CarriesLimitsAndTheStatementsClass) {
  config::TableConfig config = TableOfQuery("SELECT f('%s')");
  config.expansion_limit = 3;
  config::TableSettings settings;
  settings.max_value = 99;
  const Table table = Compiled(config, settings);
  EXPECT_EQ(table->limits().elements, 3);
  EXPECT_EQ(table->limits().value_bytes, 99u);
  EXPECT_FALSE(table->statement_class().may_write);
  EXPECT_EQ(table->statement_class().called_names, std::vector<std::string>{"f"});
  EXPECT_TRUE(
      Compiled(TableOfQuery("SELECT v FROM t%u WHERE id = %s"))->statement_class().may_write);
  EXPECT_FALSE(
      Compiled(TableOfQuery("SELECT v FROM t WHERE id = %s"))->statement_class().may_write);
  EXPECT_TRUE(Compiled(TableOfQuery("SELECT 'a\\', f('%s')"))->statement_class().may_write);
}

}  // namespace
}  // namespace proxymux::pgsql
