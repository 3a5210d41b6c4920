#include "tests/differential/changing_schema.h"

namespace proxymux::differential {
namespace {

// One thing that changes, and all that it may become.
struct Switch {
  const char* kind;
  std::vector<std::string> tables;
  std::vector<std::string> ways;
};

std::string Remade(const std::string& table, const std::string& address_type,
                   const std::string& value) {
  return "DROP TABLE IF EXISTS " + table + "; CREATE TABLE " + table + " (address " + address_type +
         ", goto text); INSERT INTO " + table + " VALUES ('Key@Example.com', '" + value +
         "'); GRANT SELECT ON " + table + " TO mailreader";
}

std::string Typed(const std::string& column, const std::string& type) {
  return "ALTER TABLE changing.typed ALTER " + column + " TYPE " + type + " USING " + column +
         "::text::" + type.substr(0, type.find(" COLLATE"));
}

std::string Renamed(const std::string& from, const std::string& to) {
  return "DO $$ BEGIN IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = "
         "'changing.renamed'::regclass AND attname = '" +
         from + "') THEN ALTER TABLE changing.renamed RENAME " + from + " TO " + to +
         "; END IF; END $$";
}

std::string Picking(const std::string& type) {
  return "CREATE OR REPLACE FUNCTION changing.pick(k " + type +
         ") RETURNS text IMMUTABLE LANGUAGE sql AS $f$ SELECT '" + type + "'::text $f$";
}

std::string Word(const std::string& kind, const std::string& body) {
  return "CREATE OR REPLACE FUNCTION changing.word(a text) RETURNS text " + kind + " AS $f$ " +
         body + " $f$";
}

std::string Policy(const std::string& condition) {
  return "DROP POLICY IF EXISTS shown ON changing.secured;"
         "CREATE POLICY shown ON changing.secured USING (" +
         condition + ")";
}

std::string View(const std::string& query) {
  return "CREATE OR REPLACE VIEW changing.viewed AS " + query;
}

const std::vector<Switch>& Switches() {
  static const std::vector<Switch> switches = {
      {"column type",
       {"typed"},
       {Typed("address", "text"), Typed("address", "citext"), Typed("address", "varchar(64)"),
        Typed("address", "char(40)"), Typed("address", "text COLLATE changing.nocase")}},
      {"result type",
       {"typed"},
       {Typed("goto", "text"), Typed("goto", "varchar(20)"), Typed("goto", "integer"),
        Typed("goto", "bigint")}},
      {"function overload",
       {"overloaded"},
       {Picking("text"), Picking("varchar"), Picking("integer"), Picking("citext"),
        "DROP FUNCTION IF EXISTS changing.pick(text)",
        "DROP FUNCTION IF EXISTS changing.pick(varchar)",
        "DROP FUNCTION IF EXISTS changing.pick(integer)",
        "DROP FUNCTION IF EXISTS changing.pick(citext)"}},
      {"operator overload",
       {"operated"},
       {"DROP OPERATOR IF EXISTS changing.=== (text, text);"
        "CREATE OPERATOR changing.=== (FUNCTION = changing.alike, LEFTARG = text, RIGHTARG = text)",
        "DROP OPERATOR IF EXISTS changing.=== (text, text)",
        "DROP OPERATOR IF EXISTS changing.=== (text, varchar);"
        "CREATE OPERATOR changing.=== (FUNCTION = changing.same, LEFTARG = text, RIGHTARG = "
        "varchar)",
        "DROP OPERATOR IF EXISTS changing.=== (text, varchar)"}},
      {"search_path of the role",
       {},
       {"ALTER ROLE mailreader SET search_path = one, public",
        "ALTER ROLE mailreader SET search_path = two, one, public",
        "ALTER ROLE mailreader RESET search_path"}},
      {"search_path of the role in the database",
       {},
       {"ALTER ROLE mailreader IN DATABASE mail SET search_path = one, two, public",
        "ALTER ROLE mailreader IN DATABASE mail SET search_path = two",
        "ALTER ROLE mailreader IN DATABASE mail RESET search_path"}},
      {"search_path of the database",
       {},
       {"ALTER DATABASE mail SET search_path = one, public",
        "ALTER DATABASE mail SET search_path = two, public",
        "ALTER DATABASE mail RESET search_path"}},
      {"a table that hides another",
       {"located"},
       {Remade("one.located", "text", "one"), Remade("one.located", "citext", "one, any case"),
        "DROP TABLE IF EXISTS one.located"}},
      {"other settings of the role",
       {"dates", "strings"},
       {"ALTER ROLE mailreader SET datestyle = 'German, DMY'",
        "ALTER ROLE mailreader SET TimeZone = 'Pacific/Auckland'",
        "ALTER ROLE mailreader SET standard_conforming_strings = off",
        "ALTER ROLE mailreader RESET datestyle", "ALTER ROLE mailreader RESET TimeZone",
        "ALTER ROLE mailreader RESET standard_conforming_strings"}},
      {"view",
       {"viewed"},
       {View("SELECT address, goto FROM changing.rows"),
        View("SELECT lower(address) AS address, upper(goto) AS goto FROM changing.rows"),
        View("SELECT address, goto FROM changing.rows WHERE false"),
        View("SELECT 'key@example.com'::text AS address, 'another'::text AS goto")}},
      {"row security",
       {"secured"},
       {"ALTER TABLE changing.secured ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE changing.secured DISABLE ROW LEVEL SECURITY", Policy("true"),
        Policy("address LIKE 'k%'"), Policy("current_user = 'mailreader'"), Policy("false"),
        "DROP POLICY IF EXISTS shown ON changing.secured"}},
      {"column renamed", {"renamed"}, {Renamed("goto", "gone"), Renamed("gone", "goto")}},
      {"table made anew",
       {"remade"},
       {Remade("changing.remade", "text", "first"), Remade("changing.remade", "citext", "second"),
        Remade("changing.remade", "varchar(40)", "third"), "DROP TABLE IF EXISTS changing.remade"}},
      {"tables swapped",
       {"swapped"},
       {"ALTER TABLE changing.live RENAME TO moving; ALTER TABLE changing.spare RENAME TO live;"
        "ALTER TABLE changing.moving RENAME TO spare"}},
      {"right",
       {"granted"},
       {"GRANT SELECT ON changing.granted TO mailreader",
        "REVOKE SELECT ON changing.granted FROM mailreader",
        "REVOKE SELECT ON changing.granted FROM mailreader;"
        "GRANT SELECT (address) ON changing.granted TO mailreader"}},
      {"function body",
       {"called"},
       {Word("STABLE LANGUAGE sql", "SELECT 'one ' || a"),
        Word("IMMUTABLE LANGUAGE sql", "SELECT 'two ' || upper(a)"),
        Word("VOLATILE LANGUAGE sql", "SELECT 'three'::text"),
        Word("STABLE LANGUAGE plpgsql", "BEGIN RETURN 'four'; END"),
        Word("STABLE LANGUAGE sql", "SELECT goto FROM changing.rows WHERE address = a")}},
      {"rows",
       {"viewed", "called"},
       {"UPDATE changing.rows SET goto = 'changed'", "UPDATE changing.rows SET goto = 'row'"}},
  };
  return switches;
}

}  // namespace

std::string ChangingSchema() {
  return R"(
    CREATE SCHEMA changing;
    CREATE SCHEMA one;
    CREATE SCHEMA two;
    CREATE COLLATION changing.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE TABLE changing.typed (address text, goto text);
    INSERT INTO changing.typed VALUES ('Key@Example.com', '17');
    CREATE TABLE changing.rows (address text, goto text);
    INSERT INTO changing.rows VALUES ('Key@Example.com', 'row'), ('key@example.com', 'row');
    CREATE TABLE changing.operated (address text, goto text);
    INSERT INTO changing.operated VALUES ('Key@Example.com', 'box');
    CREATE FUNCTION changing.same(a text, b varchar) RETURNS boolean IMMUTABLE LANGUAGE sql AS
      $f$ SELECT a OPERATOR(pg_catalog.=) b::text $f$;
    CREATE FUNCTION changing.alike(a text, b text) RETURNS boolean IMMUTABLE LANGUAGE sql AS
      $f$ SELECT pg_catalog.lower(a) OPERATOR(pg_catalog.=) pg_catalog.lower(b) $f$;
    CREATE OPERATOR changing.=== (FUNCTION = changing.same, LEFTARG = text, RIGHTARG = varchar);
    CREATE FUNCTION changing.pick(k varchar) RETURNS text IMMUTABLE LANGUAGE sql AS $f$ SELECT 'varchar'::text $f$;
    CREATE FUNCTION changing.word(a text) RETURNS text IMMUTABLE LANGUAGE sql AS $f$ SELECT 'word'::text $f$;
    CREATE TABLE one.located (address text, goto text);
    INSERT INTO one.located VALUES ('Key@Example.com', 'one');
    CREATE TABLE two.located (address text, goto text);
    INSERT INTO two.located VALUES ('Key@Example.com', 'two'), ('key@example.com', 'two, small');
    CREATE TABLE changing.strings (address text, goto text);
    INSERT INTO changing.strings VALUES ('back\slash@example.com', 'found'), ('it''s@example.com', 'quoted');
    CREATE VIEW changing.viewed AS SELECT address, goto FROM changing.rows;
    CREATE TABLE changing.secured AS SELECT * FROM changing.rows;
    CREATE TABLE changing.renamed AS SELECT * FROM changing.rows;
    CREATE TABLE changing.remade AS SELECT * FROM changing.rows;
    CREATE TABLE changing.granted AS SELECT * FROM changing.rows;
    CREATE TABLE changing.live (address text, goto text);
    INSERT INTO changing.live VALUES ('Key@Example.com', 'one');
    CREATE TABLE changing.spare (address citext, goto varchar(10));
    INSERT INTO changing.spare VALUES ('Key@Example.com', 'two');
    GRANT USAGE ON SCHEMA changing, one, two TO @USER@;
    GRANT SELECT ON ALL TABLES IN SCHEMA changing, one, two TO @USER@;)";
}

std::vector<ChangingTable> ChangingTables() {
  const std::vector<std::string> keys = {"key@example.com", "nobody@example.com"};
  const auto by_address = [](const std::string& table) {
    return "SELECT goto FROM " + table + " WHERE address = '%s'";
  };
  return {
      {"typed", by_address("changing.typed"), keys},
      {"overloaded", "SELECT changing.pick('%s')", {"7", "key@example.com"}},
      {"operated", "SELECT goto FROM changing.operated WHERE address OPERATOR(changing.===) '%s'",
       keys},
      {"located", by_address("located"), keys},
      {"dates",
       "SELECT date '2026-02-03' || ' ' || timestamptz '2026-02-03 12:00Z' WHERE '%s' <> ''",
       {"key@example.com"}},
      {"strings", by_address("changing.strings"), {"back\\slash@example.com", "it's@example.com"}},
      {"viewed", by_address("changing.viewed"), keys},
      {"secured", by_address("changing.secured"), keys},
      {"renamed", by_address("changing.renamed"), keys},
      {"remade", by_address("changing.remade"), keys},
      {"swapped", by_address("changing.live"), keys},
      {"granted", by_address("changing.granted"), keys},
      {"called", "SELECT changing.word('%s')", keys},
  };
}

SchemaStep RandomStep(RandomSource& random) {
  const Switch& one = random.Pick(Switches());
  return {one.kind, random.Pick(one.ways), one.tables};
}

}  // namespace proxymux::differential
