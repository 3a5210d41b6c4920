// The conditions among random expressions: what stands in WHERE clauses.
#include <string>

#include "tests/differential/random_expression.h"
#include "tests/differential/random_literal.h"

namespace proxymux::differential {

std::string RandomExpression::TextCondition(const std::string& name, const SqlColumn& column) {
  const Holds holds = column.holds;
  if (random_.Percent(45)) return name + " = " + KeyText(holds);
  const std::string key = KeyText(holds);
  switch (random_.Below(27)) {
    case 0:
    case 1:
      return key + " = " + name;
    case 2:
    case 3:
    case 4:
      return "lower(" + name + ") = lower(" + key + ")";
    case 5:
    case 6:
      return name + " IN (" + key + ", " + KeyText(holds) + ")";
    case 7:
      return name + " IN (" + key + ", 'example1.net', '@' || '%d')";
    case 8:
      return name + " = ANY(ARRAY[" + key + ", 'list2@example0.com'])";
    case 9:
      return name + " = ANY(string_to_array(" + key + ", ','))";
    case 10:
    case 11:
      return name + " LIKE " + key;
    case 12:
      return name + " ILIKE " + key;
    case 13:
      return key + random_.Word({" LIKE ", " ILIKE "}) + name;
    case 14:
      return name + " LIKE " +
             RandomLiteral(random_, random_.Word({"%u%%", "%%@%d", "%s%%", "%%%d"}));
    case 15:
      return name + " LIKE '%%' || " + key;
    case 16:
      return key + " LIKE '%%' || " + name;
    case 17:
      return name + random_.Word({" ~ ", " ~* ", " !~ "}) + RandomLiteral(random_, "^%u@");
    case 18:
      return name + " BETWEEN " + key + " AND " + key + " || '~'";
    case 19:
      return name + " IS NOT DISTINCT FROM " + key;
    case 20:
      return "position(" + key + " in " + name + ") = 1";
    case 21:
      return "starts_with(" + name + ", " + key + ")";
    case 22:
      return "(" + name + ", " + key + ") = (" + key + ", " + key + ")";
    case 23:
      return name + " = (SELECT " + key + " WHERE " + key + " <> 'root')";
    case 24:
      return "md5(" + name + ") = md5(" + key + ")";
    case 25:
      // As a pattern a column is compiled anew for each row: only where rows are few.
      return holds == Holds::kRegex ? "'%s' ~ " + name : name + " ~ ('^' || " + key + " || '$')";
    default:
      return name + "::" + random_.Word({"citext", "text", "bpchar", "varchar(12)"}) + " = " + key;
  }
}

std::string RandomExpression::NumberCondition(const std::string& name) {
  const std::string key = KeyLiteral(Holds::kNumber);
  switch (random_.Below(16)) {
    case 0:
      return name + " = " + key;
    case 1:
      return name + random_.Word({" = %1", " = %u", " < %s", " = -%u"});
    case 2:
    case 3:
      return name + "::text = " + key;
    case 4:
    case 5:
      return key + " = CAST(" + name + " AS text)";
    case 6:
    case 7:
      return name + " = nullif(regexp_replace('%s', '[^0-9]+', '', 'g'), '')::" +
             random_.Word({"numeric", "numeric", "int", "bigint"});
    case 8:
    case 9:
      return name + " = length(" + KeyText(Holds::kAddress) + ")";
    case 10:
      return name + " BETWEEN 1 AND " + key;
    case 11:
      return name + " IN ('1', " + key + ")";
    case 12:
      return name + " = " + key + "::int";
    case 13:
      return name + " = CASE WHEN '%u' ~ '^[0-9]{1,8}$' THEN '%u' ELSE '7' END::int";
    case 14:
      return name + "::text LIKE '%%' || " + key;
    default:
      return "'user' || " + name + " = '%u'";
  }
}

std::string RandomExpression::OtherCondition(const std::string& name, SqlType type) {
  const std::string key = KeyLiteral(Holds::kOther);
  switch (type) {
    case SqlType::kNetwork:
      return random_.Word({"'%s' LIKE '10.%%' AND ", "'%s' ~ '^[0-9]+([.][0-9]+){3}$' AND ", ""}) +
             random_.Word({"host(", "text("}) + name + ") LIKE '%s%%'";
    case SqlType::kTextArray:
      return random_.OneIn(2) ? key + " = ANY(" + name + ")"
                              : name + random_.Word({" @> ", " && "}) + "ARRAY[" + key + ", 'all']";
    case SqlType::kIntegerArray:
      return random_.OneIn(2) ? "'%1' = ANY(" + name + "::text[])" : name + " @> ARRAY[25]";
    case SqlType::kJsonb:
      return name + random_.Word({"->>'catchall' = ", " ->> 'catchall' = 'all@' || ", " ? "}) + key;
    case SqlType::kJson:
      return name + random_.Word({"->>'forward' = ", "->>'n' = ", " #>> '{n}' = "}) + key;
    case SqlType::kBytea:
      return "encode(" + name + ", 'hex') = md5(" + KeyLiteral(Holds::kNumber) + ")";
    case SqlType::kTimestamp:
      return name + random_.Word({" < ", " > ", " = "}) +
             random_.Word({"now()", "'2024-01-01'",
                           "coalesce(nullif('%s', '%s'), '2021-01-01')::timestamp"});
    case SqlType::kComposite:
      return "(" + name + ").nexthop = 'host' || " + KeyLiteral(Holds::kNumber);
    case SqlType::kBoolean:
      return name +
             random_.Word({" = '%s'", "::text = '%s'", " = ('%u' <> '%d')", " = ('%s' ~ '@')"});
    default:
      return random_.Percent(70) ? name + "::text = " + key : name + " = " + key;
  }
}

std::string RandomExpression::Condition(const std::string& alias, const SqlColumn& column) {
  const std::string name = alias + "." + column.name;
  switch (column.type) {
    case SqlType::kText:
    case SqlType::kChar:
    case SqlType::kCitext:
      return TextCondition(name, column);
    case SqlType::kInteger:
    case SqlType::kNumeric:
      return NumberCondition(name);
    default:
      return OtherCondition(name, column.type);
  }
}

std::string RandomExpression::Filter(const std::string& alias, const SqlColumn& column) {
  const std::string name = alias + "." + column.name;
  if (random_.Percent(20)) return name + " IS NOT NULL";
  switch (column.type) {
    case SqlType::kBoolean:
      return random_.Word({"", "NOT "}) + name +
             random_.Word({"", " IS TRUE", " = true", " = 't'"});
    case SqlType::kInteger:
    case SqlType::kNumeric:
      return name + random_.Word({" > 0", " <> 3", " >= '1'", " < 250", " %% 2 = 1"});
    case SqlType::kText:
    case SqlType::kCitext:
      return name + random_.Word({" <> ''", " NOT LIKE 'x%%'", " <> 'it''s'", " > ' '",
                                  " NOT IN ('a', $$b'c$$)", " !~ '^%%'"});
    default:
      return name + " IS NOT NULL";
  }
}

}  // namespace proxymux::differential
