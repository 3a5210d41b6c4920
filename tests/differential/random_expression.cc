#include "tests/differential/random_expression.h"

#include "tests/differential/random_literal.h"

namespace proxymux::differential {

std::string RandomExpression::KeyPattern(Holds holds) {
  if (random_.Percent(5)) {
    static const char* const kOdd[] = {
        "%1",      "%9",    "%s%s",     "x%sy",    "%%%s",   "%u'%d",    "%3.%2.%1", "%d@%u",
        "%s@",     "@%d",   "%u%%%d",   "it's %s", "%S,%s",  "%%",       "%u+%u@%d", "$1%s",
        "%s -- x", "%s; ;", "/* %u */", "%1%2",    "\"%s\"", "user1@%d", "%u@%D",    "%U@%d",
    };
    return random_.Word(kOdd);
  }
  switch (holds) {
    case Holds::kAddress:
      return random_.Word(
          {"%s", "%s", "%s", "%s", "%s", "%S", "%u@%d", "%u@%d", "%U@%D", "%u@%2.%1", "@%d"});
    case Holds::kDomain:
      return random_.Word({"%d", "%d", "%d", "%d", "%s", "%s", "%D", "%2.%1", ".%d", "%3.%2.%1"});
    case Holds::kUser:
      return random_.Word({"%u", "%u", "%u", "%u", "%s", "%U"});
    case Holds::kNumber:
      return random_.Word({"%s", "%u", "%1", "%u"});
    case Holds::kNetwork:
    case Holds::kPattern:
    case Holds::kRegex:
      return "%s";
    case Holds::kOther:
      return random_.Word({"%s", "%u", "%d", "%u@%d", "%1"});
  }
  return "%s";
}

std::string RandomExpression::KeyLiteral(Holds holds) {
  return RandomLiteral(random_, KeyPattern(holds));
}

std::string RandomExpression::KeyText(Holds holds) {
  const std::string key = KeyLiteral(holds);
  if (random_.Percent(55)) return key;
  const bool domain = holds == Holds::kDomain;
  switch (random_.Below(30)) {
    case 0:
    case 1:
      return key + "::text";
    case 2:
      return key +
             random_.Word({"::varchar", "::varchar(8)", "::varchar(64)", "::character varying"});
    case 3:
      return key + random_.Word({"::char(20)", "::name", "::bpchar", "::\"char\"::text"});
    case 4:
      return key + "::citext";
    case 5:
      return "CAST(" + key + " AS " + random_.Word({"text", "varchar(20)", "citext"}) + ")";
    case 6:
    case 7:
      return "lower(" + key + ")";
    case 8:
      return "lower(upper(" + key + "))";
    case 9:
      return random_.Word({"btrim(", "trim(both from ", "rtrim("}) + key + ")";
    case 10:
      return "replace(" + key + ", '+', '-')";
    case 11:
    case 12:
      return domain ? "split_part('%s', '@', 2)" : "split_part(" + key + ", '+', 1)";
    case 13:
      return domain ? "substring('%s' from '@(.*)$')" : "substring(" + key + ", 1, 24)";
    case 14:
      return "regexp_replace(" + key + ", '\\+[^@]*', '')";
    case 15:
      return "coalesce(nullif(" + key + ", ''), 'none')";
    case 16:
      return "coalesce(" + key + ", '" + random_.Word({"none", "%d", "it''s"}) + "')";
    case 17:
      return domain ? "concat('', '%d')" : "concat('%u', '@', '%d')";
    case 18:
    case 19:
      return domain ? "'' || '%d'" : "'%u' || '@' || '%d'";
    case 20:
      return domain ? "lower('%2') || '.' || '%1'" : "('%u'::text || '@') || lower('%d')";
    case 21:
      return "left(" + key + ", 30)";
    case 22:
      return "translate(" + key + ", 'ABCü', 'abcu')";
    case 23:
      return "convert_from(convert_to(" + key + ", 'UTF8'), 'UTF8')";
    case 24:
      return "(SELECT " + key + ")";
    case 25:
      return "CASE WHEN '%s' LIKE '%%@%%' THEN " + key + " ELSE " + key + " || '@example1.net' END";
    case 26:
      return "format('%%s', " + key + ")";
    case 27:
      return domain ? "domain_of('%s')"
                    : random_.Word({"folded(", "kind_of(", "local_of("}) + key + ")";
    case 28:
      return "(ARRAY[" + key + ", 'x'])[1]";
    default:
      return "greatest(" + key + ", '')";
  }
}

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

std::string RandomExpression::Output(const std::string& alias, const SqlColumn& column) {
  const std::string name = alias + "." + column.name;
  const std::string text = column.type == SqlType::kText ? name : name + "::text";
  if (random_.Percent(60)) return name;
  switch (random_.Below(17)) {
    case 0:
      return text;
    case 1:
      return "lower(" + text + ")";
    case 2:
      return text + " || " + KeyLiteral(Holds::kOther);
    case 3:
      return "coalesce(" + text + ", '')";
    case 4:
      return random_.Word(
          {"'OK'", "1", "true", "'x' AS \"it's\"", "NULL", "''", "$$ok$$", "E'a\\tb'"});
    case 5:
      return "md5(" + text + ")";
    case 6:
      return "CASE WHEN " + Filter(alias, column) + " THEN " + text + " ELSE 'other' END";
    case 7:
      return "concat(" + text + ", ':', " + KeyText(Holds::kUser) + ")";
    case 8:
      return "length(" + text + ")";
    case 9:
      return "CASE " + KeyLiteral(Holds::kUser) + " WHEN 'user1' THEN 'one' ELSE " + text + " END";
    case 10:
      return "split_part(" + text + ", '@', 1) || '@' || " + KeyLiteral(Holds::kDomain);
    case 11:
      return KeyLiteral(Holds::kAddress);
    case 12:
      return "unnest(string_to_array(" + text + ", ','))";
    case 13:
      return column.type == SqlType::kInteger ? "to_char(" + name + ", 'FM00000')" : name;
    case 14:
      return text + " = " + KeyLiteral(column.holds);
    case 15:
      return "nullif(" + text + ", " + KeyLiteral(column.holds) + ")";
    default:
      return text + ", " + KeyText(Holds::kAddress);
  }
}

std::string RandomExpression::Constant() {
  switch (random_.Below(16)) {
    case 0:
    case 1:
    case 2:
      return KeyText(Holds::kAddress);
    case 3:
      return KeyText(Holds::kDomain);
    case 4:
      return KeyText(Holds::kUser);
    case 5:
      return random_.Word({"'OK'", "42", "NULL", "true", "B'101'", "X'1f'", "1.50", "-7", "'it''s'",
                           "N'n'", "U&'\\0041'", "E'\\x41\\n'", "$q$'$q$", "1e3", "'a' || 1"});
    case 6:
      return "CASE WHEN " + KeyText(Holds::kUser) + " = " + KeyText(Holds::kUser) +
             " THEN 'same' ELSE " + KeyLiteral(Holds::kAddress) + " END";
    case 7:
      return "alias_of(" + KeyText(Holds::kAddress) + ")";
    case 8:
      return "coalesce(alias_of(" + KeyLiteral(Holds::kAddress) + "), " + KeyText(Holds::kAddress) +
             ")";
    case 9:
      return random_.Word({"md5(", "length(", "upper(", "reverse(", "quote_literal(", "kind_of("}) +
             KeyText(Holds::kAddress) + ")";
    case 10:
      return "(route_of(" + KeyLiteral(Holds::kAddress) + "))." +
             random_.Word({"nexthop", "transport"});
    case 11:
      return random_.Word({"pg_typeof(", "to_jsonb(", "json_build_array(", "quote_nullable(",
                           "num_nulls("}) +
             KeyText(Holds::kAddress) + ")";
    case 12:
      return random_.Word({"raised(", "must_exist(", "noticed("}) + KeyLiteral(Holds::kAddress) +
             ")";
    case 13:
      return KeyText(Holds::kUser) + random_.Word({" < ", " LIKE ", " = ", " || "}) +
             KeyText(Holds::kDomain);
    case 14:
      return "array_to_string(string_to_array(" + KeyText(Holds::kDomain) + ", '.'), '/')";
    default:
      return "(SELECT count(*) FROM mailbox WHERE domain = " + KeyText(Holds::kDomain) + ")";
  }
}

}  // namespace proxymux::differential
