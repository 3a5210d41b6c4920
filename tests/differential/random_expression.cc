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
