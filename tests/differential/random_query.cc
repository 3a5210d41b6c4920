#include "tests/differential/random_query.h"

#include <algorithm>
#include <vector>

#include "tests/differential/random_literal.h"

namespace proxymux::differential {
const SqlTable& RandomQuery::SomeTable() {
  const auto& tables = SchemaTables();
  std::size_t sum = 0;
  for (const SqlTable& table : tables) sum += table.weight;
  std::size_t at = random_.Below(sum);
  for (const SqlTable& table : tables) {
    if (at < table.weight) return table;
    at -= table.weight;
  }
  return tables.front();
}

const SqlColumn& RandomQuery::SomeColumn(const SqlTable& table) {
  return random_.Pick(table.columns);
}

// Mostly one that a key, or its user or domain, is likely to be found in.
const SqlColumn& RandomQuery::KeyColumn(const SqlTable& table) {
  if (random_.Percent(55)) return table.columns.front();
  for (int tries = 0; tries < 4; ++tries) {
    const SqlColumn& column = SomeColumn(table);
    if (column.holds == Holds::kOther && random_.Percent(80)) continue;
    if (column.holds == Holds::kNumber && random_.Percent(50)) continue;
    return column;
  }
  return table.columns.front();
}

std::string RandomQuery::Where(const SqlTable& table, const std::string& alias, std::size_t depth) {
  std::string where = expression_.Condition(alias, KeyColumn(table));
  if (random_.Percent(30)) where += " AND " + expression_.Filter(alias, SomeColumn(table));
  if (random_.Percent(4))
    where = "NOT (" + where + ") AND " + alias + "." + table.columns.front().name + " LIKE '%u%%'";
  if (random_.Percent(12))
    where = "(" + where + " OR " + expression_.Condition(alias, KeyColumn(table)) + ")";
  if (random_.Percent(8)) where += " AND " + expression_.Condition(alias, KeyColumn(table));
  if (depth > 0 && random_.Percent(7)) {
    const SqlTable& other = SomeTable();
    where += random_.Word({" AND EXISTS ", " AND NOT EXISTS ", " OR EXISTS "}) + "(SELECT " +
             random_.Word({"1", "*", "'%s'", "NULL"}) + " FROM " + other.name + " e WHERE " +
             Where(other, "e", 0) + ")";
  }
  if (depth > 0 && random_.Percent(5)) {
    const SqlTable& other = SchemaTable(random_.Word({"mailbox", "alias", "domain", "member"}));
    where += " AND " + alias + "." + table.columns.front().name +
             random_.Word({"::text IN ", "::text NOT IN ", " = ANY ", " <> ALL "}) + "(SELECT i." +
             other.columns.front().name + " FROM " + other.name + " i WHERE " +
             Where(other, "i", 0) + ")";
  }
  return where;
}

std::string RandomQuery::SelectList(const SqlTable& table, const std::string& alias,
                                    Columns columns, std::size_t* count) {
  *count = columns == Columns::kOneText || random_.Percent(75) ? 1 : random_.Between(2, 3);
  if (columns == Columns::kOneText) {
    const SqlColumn& column = SomeColumn(table);
    return alias + "." + column.name + "::text";
  }
  if (random_.Percent(2)) {
    loose_ = true;
    return random_.OneIn(2) ? "*" : alias + ".*";
  }
  std::string list;
  for (std::size_t i = 0; i < *count; ++i) {
    const SqlColumn& column = SomeColumn(table);
    loose_ = loose_ || LooksDifferentWhenEqual(column.type);
    if (i > 0) list += ", ";
    list += expression_.Output(alias, column);
  }
  return list;
}

// ORDER BY, LIMIT, OFFSET.
void RandomQuery::Finish(bool has_id, std::size_t columns, QueryText* query) {
  bool ordered = false;
  if (random_.Percent(30)) {
    query->sql += " ORDER BY 1";
    for (std::size_t i = 2; i <= columns; ++i) query->sql += ", " + std::to_string(i);
    // A select item may be two; those are not all named then.
    ordered = !loose_ && columns == 1 && query->sql.find(", ") == std::string::npos;
    if (random_.Percent(15)) query->sql += ", " + expression_.KeyText(Holds::kAddress);
  } else if (has_id && random_.Percent(20)) {
    query->sql += random_.Word({" ORDER BY id", " ORDER BY id DESC", " ORDER BY a.id NULLS FIRST"});
    ordered = true;
  } else if (random_.Percent(4)) {
    query->sql += " ORDER BY " +
                  (random_.OneIn(2) ? PlainLiteral("%s") : expression_.KeyText(Holds::kAddress));
  }
  if (random_.Percent(15)) {
    static const char* const kLimits[] = {
        " LIMIT 1",
        " LIMIT 1",
        " LIMIT 2",
        " LIMIT '3'",
        " LIMIT ALL",
        " LIMIT NULL",
        " OFFSET 1",
        " LIMIT 1 OFFSET 1",
        " FETCH FIRST ROW ONLY",
        " LIMIT %1",
        " LIMIT length('%u')",
        " LIMIT (SELECT 1)",
        " OFFSET '0' LIMIT 2",
    };
    query->sql += random_.Word(kLimits);
    query->plan_may_choose = query->plan_may_choose || !ordered;
  }
  query->row_order_defined = ordered;
}

QueryText RandomQuery::Simple(Columns columns, std::size_t depth) {
  QueryText query;
  const SqlTable& table = SomeTable();
  std::size_t count = 0;
  loose_ = false;
  const std::string list = SelectList(table, "a", columns, &count);
  const bool distinct = columns == Columns::kAny && random_.Percent(7);
  query.sql = random_.Word({"SELECT ", "SELECT ", "SELECT ", "select ", "SELECT ALL "});
  if (distinct) query.sql = "SELECT DISTINCT ";
  query.sql += list + random_.Word({" FROM ", " FROM ", " from "}) + table.name +
               random_.Word({" a", " a", " AS a"});
  if (random_.Percent(97)) {
    query.sql += random_.Word({" WHERE ", " WHERE ", " where "}) + Where(table, "a", depth);
  } else {
    query.sql +=
        " WHERE 'x' = 'y' OR " + expression_.Filter("a", table.columns.front()) + " LIMIT 3";
    query.plan_may_choose = true;
    return query;
  }
  query.plan_may_choose = distinct && loose_;
  const bool has_id = !distinct && std::any_of(table.columns.begin(), table.columns.end(),
                                               [](const SqlColumn& c) { return c.name == "id"; });
  Finish(has_id, count, &query);
  return query;
}

QueryText RandomQuery::Query(std::size_t depth) {
  const std::size_t roll = random_.Below(100);
  if (roll < 42) return Simple(Columns::kAny, depth);
  if (roll < 52) return Join();
  if (roll < 60) return SetOperation(depth);
  if (roll < 66) return WithClause(depth);
  if (roll < 71) return SubSelect(depth);
  if (roll < 76) return Scalar(depth);
  if (roll < 83) return Aggregate();
  if (roll < 89) return FromFunction();
  if (roll < 96) return NoTable();
  return Values();
}

// Comments, semicolons, a second statement, a little damage.
void RandomQuery::Decorate(QueryText* query) {
  std::string& sql = query->sql;
  if (random_.Percent(10)) {
    static const char* const kComments[] = {
        " /* it's a comment */ ",
        " /* %s */ ",
        " /* nested /* '%u' */ \" */ ",
        " /* $1 */ ",
        " /* 100%% */ ",
        "/**/ ",
        " /* -- */ ",
        " -- it's \r ",
        " -- %s\r ",
        " /* ; */ ",
        " /* $tag$ */ ",
    };
    const std::size_t at = sql.find(random_.Word({" FROM ", " WHERE ", " AND ", " "}));
    if (at != std::string::npos) sql.replace(at, 1, random_.Word(kComments));
  }
  if (random_.Percent(5)) sql += random_.Word({";", " ; ", "; -- end", ";;"});
  if (random_.Percent(4)) sql += random_.Word({" -- it's the end", " -- %s", " /* ' */", " -- ?"});
  if (random_.Percent(2)) {
    sql = random_.Word({"SELECT 1; ", "; ", "SELECT '%s'; ", "SELECT 'it''s;' ;",
                        "SET LOCAL statement_timeout = 60000; "}) +
          sql;
  }
  if (random_.Percent(1)) sql = "(" + sql + ")";
  if (random_.Percent(1)) sql += random_.Word({" FROM", " '", ")", " WHERE", " \"", " $tag$ x"});
}

QueryText RandomQuery::Statement() {
  QueryText query = Query(2);
  Decorate(&query);
  return query;
}

}  // namespace proxymux::differential
