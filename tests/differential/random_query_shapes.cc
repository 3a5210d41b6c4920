// The shapes of random queries beyond the plain SELECT from one table.
#include <cstddef>
#include <string>

#include "tests/differential/random_query.h"

namespace proxymux::differential {

QueryText RandomQuery::Join() {
  QueryText query;
  const SqlJoin& join = random_.Pick(SchemaJoins());
  const SqlTable& left = SchemaTable(join.left);
  const SqlTable& right = SchemaTable(join.right);
  std::size_t count = 0;
  loose_ = false;
  const bool from_left = random_.OneIn(2);
  std::string list =
      SelectList(from_left ? left : right, from_left ? "a" : "b", Columns::kAny, &count);
  query.sql = "SELECT " + list + " FROM " + left.name + " a";
  const std::string where = random_.Percent(75) ? Where(left, "a", 0) : Where(right, "b", 0);
  if (random_.Percent(25)) {
    query.sql += ", " + right.name + " b WHERE " + join.condition + " AND " + where;
  } else {
    query.sql += random_.Word({" JOIN ", " JOIN ", " INNER JOIN ", " LEFT JOIN ", " RIGHT JOIN "}) +
                 right.name + " b ON " + join.condition + " WHERE " + where;
  }
  if (random_.Percent(25)) query.sql += " AND " + expression_.Filter("b", SomeColumn(right));
  Finish(false, count, &query);
  return query;
}

QueryText RandomQuery::SetOperation(std::size_t depth) {
  QueryText query;
  const std::size_t parts = random_.Between(2, 3);
  for (std::size_t i = 0; i < parts; ++i) {
    if (i > 0)
      query.sql +=
          random_.Word({" UNION ", " UNION ALL ", " UNION ALL ", " INTERSECT ", " EXCEPT "});
    if (random_.Percent(25)) {
      query.sql += "SELECT " + expression_.KeyText(Holds::kAddress);
      continue;
    }
    const QueryText part = Simple(Columns::kOneText, depth > 0 ? depth - 1 : 0);
    query.plan_may_choose = query.plan_may_choose || part.plan_may_choose;
    query.sql += random_.Percent(80) || part.sql.find(" ORDER BY ") != std::string::npos ||
                         part.plan_may_choose
                     ? "(" + part.sql + ")"
                     : part.sql;
  }
  loose_ = query.sql.find("citext") != std::string::npos;
  query.plan_may_choose = query.plan_may_choose || loose_;
  Finish(false, 1, &query);
  return query;
}

QueryText RandomQuery::WithClause(std::size_t depth) {
  QueryText query = Simple(Columns::kOneText, depth);
  const std::string inner = query.sql;
  query.sql = "WITH " + random_.Word({"q", "q", "\"q\""}) + "(c) AS " +
              random_.Word({"", "", "MATERIALIZED ", "NOT MATERIALIZED "}) + "(" + inner + ")";
  if (random_.Percent(20)) {
    query.sql += ", r AS (SELECT " + expression_.KeyText(Holds::kAddress) + " AS k)";
    query.sql += " SELECT q.c FROM q, r WHERE r.k = " + expression_.KeyLiteral(Holds::kAddress);
  } else {
    query.sql += random_.Word({" SELECT c FROM q", " SELECT q.* FROM q", " SELECT c || '!' FROM q",
                               " SELECT DISTINCT c FROM q", " SELECT max(c) FROM q"});
    if (random_.Percent(30)) query.sql += " WHERE c <> " + expression_.KeyLiteral(Holds::kAddress);
  }
  loose_ = false;
  if (query.sql.find(" max(c)") == std::string::npos) Finish(false, 1, &query);
  return query;
}

QueryText RandomQuery::SubSelect(std::size_t depth) {
  QueryText query = Simple(Columns::kOneText, depth);
  query.sql = "SELECT " + random_.Word({"s.c", "c", "s.*", "upper(c)", "c, length(c)"}) +
              " FROM (" + query.sql + ") " + random_.Word({"AS s(c)", "s (c)"});
  if (random_.Percent(40)) {
    query.sql += " WHERE s.c IS DISTINCT FROM " + expression_.KeyLiteral(Holds::kUser);
  }
  loose_ = false;
  Finish(false, 1, &query);
  return query;
}

QueryText RandomQuery::Scalar(std::size_t depth) {
  QueryText query = Simple(Columns::kOneText, depth);
  std::string inner = query.sql;
  if (inner.find(" LIMIT ") == std::string::npos && random_.Percent(90)) {
    inner = "SELECT min(x) FROM (" + inner + ") AS s(x)";
  }
  switch (random_.Below(4)) {
    case 0:
      query.sql = "SELECT (" + inner + ")";
      break;
    case 1:
      query.sql = "SELECT coalesce((" + inner + "), " + expression_.KeyText(Holds::kAddress) + ")";
      break;
    case 2:
      query.sql = "SELECT CASE WHEN EXISTS (" + inner + ") THEN 'yes' ELSE " +
                  random_.Word({"'no'", "NULL", "'%s'", "''"}) + " END";
      break;
    default:
      query.sql =
          "SELECT " + expression_.KeyText(Holds::kAddress) + " WHERE EXISTS (" + inner + ")";
  }
  query.row_order_defined = true;
  return query;
}

QueryText RandomQuery::Aggregate() {
  QueryText query;
  const SqlTable& table = SomeTable();
  const SqlColumn& column = SomeColumn(table);
  const std::string text = "a." + column.name + "::text";
  std::string what;
  bool free_order = false;
  switch (random_.Below(9)) {
    case 0:
      what = "count(*)";
      break;
    case 1:
      what = "count(DISTINCT " + text + ")";
      break;
    case 2:
      what = random_.Word({"min(", "max("}) + text + ")";
      break;
    case 3:
    case 4:
      what = "string_agg(" + text + ", ',' ORDER BY " + text + ")";
      break;
    case 5:
      what = "string_agg(" + text + ", " + random_.Word({"','", "'%u'", "'; '"}) + ")";
      free_order = true;
      break;
    case 6:
      what = "array_to_string(array_agg(" + text + " ORDER BY 1, " + text + "), ',')";
      break;
    case 7:
      what = "bool_or(" + text + " = " + expression_.KeyLiteral(column.holds) + ")";
      break;
    default:
      what = "string_agg(DISTINCT " + text + ", ',')";
  }
  query.sql = "SELECT " + what + " FROM " + table.name + " a WHERE " + Where(table, "a", 0);
  query.plan_may_choose = free_order;
  query.row_order_defined = !free_order;
  if (random_.Percent(35)) {
    const SqlColumn& group = SomeColumn(table);
    query.row_order_defined = false;
    query.plan_may_choose = query.plan_may_choose || LooksDifferentWhenEqual(group.type);
    query.sql += " GROUP BY a." + group.name;
    if (random_.Percent(40))
      query.sql += random_.Word(
          {" HAVING count(*) > 0", " HAVING max('%s') <> ''", " HAVING count(*) < length('%s')"});
    if (random_.Percent(30)) query.sql += " ORDER BY 1";
  }
  return query;
}

QueryText RandomQuery::FromFunction() {
  QueryText query;
  const std::string address = expression_.KeyText(Holds::kAddress);
  const std::string domain = expression_.KeyText(Holds::kDomain);
  switch (random_.Below(14)) {
    case 0:
    case 1:
      query.sql = "SELECT * FROM aliases_of(" + address + ")";
      break;
    case 2:
      query.sql = "SELECT aliases_of(" + address + ")";
      break;
    case 3:
      query.sql = "SELECT kind, target FROM routes_of(" + domain + ") WHERE target IS NOT NULL";
      break;
    case 4:
      query.sql = "SELECT (route_of(" + address + ")).*";
      break;
    case 5:
      query.sql = "SELECT * FROM route_of(" + address + ")";
      break;
    case 6:
      query.sql = "SELECT x FROM unnest(string_to_array(" + domain + ", '.')) AS x";
      break;
    case 7:
      query.sql = "SELECT n, x FROM unnest(string_to_array(" + address +
                  ", '@')) WITH ORDINALITY AS u(x, n) ORDER BY n DESC";
      break;
    case 8:
      query.sql = "SELECT regexp_split_to_table(" + address + ", '[@.]')";
      break;
    case 9:
      query.sql = "SELECT n || " + expression_.KeyLiteral(Holds::kUser) +
                  " FROM generate_series(1, least(length(" + domain + "), 5)) AS n";
      break;
    case 10:
      query.sql =
          "SELECT * FROM jsonb_each_text(jsonb_build_object('key', " + address + ", 'n', 1))";
      break;
    case 11:
      query.sql =
          "SELECT alias_of(x) FROM unnest(ARRAY[" + address + ", '@' || " + domain + "]) AS x";
      break;
    case 12:
      query.sql = "SELECT value FROM json_array_elements_text(json_build_array(" + address + ", " +
                  domain + "))";
      break;
    default:
      query.sql = "SELECT a.action FROM access a, LATERAL (SELECT " + address +
                  " AS k) b WHERE b.k LIKE a.pattern ORDER BY a.prio, a.id";
  }
  query.row_order_defined = true;
  return query;
}

QueryText RandomQuery::NoTable() {
  QueryText query;
  query.sql = "SELECT " + expression_.Constant();
  if (random_.Percent(25)) query.sql += ", " + expression_.Constant();
  if (random_.Percent(30)) {
    query.sql += " WHERE " + expression_.KeyText(Holds::kUser) +
                 random_.Word({" <> ", " = ", " < ", " LIKE ", " NOT IN ('root', ",
                               " IS NOT DISTINCT FROM "});
    const bool list = query.sql.ends_with(", ");
    query.sql += expression_.KeyText(Holds::kUser) + (list ? ")" : "");
  }
  if (random_.Percent(10)) query.sql += " LIMIT 1";
  query.row_order_defined = true;
  return query;
}

QueryText RandomQuery::Values() {
  QueryText query;
  const std::size_t columns = random_.Between(1, 2);
  query.sql = "VALUES ";
  for (std::size_t rows = random_.Between(1, 3); rows > 0; --rows) {
    query.sql +=
        "(" + (random_.Percent(75) ? expression_.KeyText(Holds::kAddress) : expression_.Constant());
    if (columns > 1) query.sql += ", " + expression_.KeyText(Holds::kUser);
    query.sql += rows > 1 ? "), " : ")";
  }
  if (random_.Percent(25)) query.sql = "SELECT * FROM (" + query.sql + ") v";
  if (random_.Percent(25)) query.sql += " LIMIT 1";
  query.row_order_defined = true;
  return query;
}

}  // namespace proxymux::differential
