#include "tests/differential/random_table.h"

#include <cstddef>
#include <regex>

#include "tests/differential/random_expression.h"
#include "tests/differential/random_query.h"
#include "tests/differential/schema_columns.h"

namespace proxymux::differential {
namespace {

// How the grammar writes what deliberate differences are about.
const std::regex kEscapeConstant("(^|[^A-Za-z0-9_])[eE]'([^']|'')*%[sSuUdD1-9]");
const std::regex kUnquotedLabel("(LIMIT|=|<) -?%1");
const std::regex kOpen("/\\*[^/]*%[sud]|-- [^\r]*%[sud]|[$][a-z]*[$][^$]*%[sud]|\"[^\"]*%[sud]");
const std::regex kUnquoted("(LIMIT|=|<) -?%[1us]");

class TableWriter {
 public:
  explicit TableWriter(RandomSource& random) : random_(random) {}

  DifferentialTable Write(const std::string& name) {
    if (random_.Percent(10)) Line("# a table's comment, with %s and 'quotes'");
    text_ += ConnectionLines();
    QueryText query;
    query.row_order_defined = true;
    const std::size_t roll = random_.Below(100);
    if (roll < 90) {
      query = RandomQuery(random_).Statement();
      Query(query.sql);
      // Not read when there is a query.
      if (random_.Percent(2)) Line("select_function = alias_of");
    } else if (roll < 94) {
      Line("select_function = " + random_.Word({"alias_of", "aliases_of", "local_of", "kind_of",
                                                "must_exist", "public.domain_of"}));
    } else {
      query.row_order_defined = false;
      LegacyTable();
    }
    ResultFormat();
    Domain();
    if (random_.Percent(10))
      Line("expansion_limit = " + random_.Word({"1", "1", "2", "3", "10", "0", "-1"}));
    if (random_.Percent(3)) Line(random_.Word({"port = 5432", "debuglevel = 1", "hosts_x = y"}));
    DifferentialTable table;
    table.name = name;
    table.text = text_;
    table.row_order_defined = query.row_order_defined;
    table.plan_decides = query.plan_may_choose;
    if (std::regex_search(query.sql, kEscapeConstant)) table.traits.insert("escape");
    if (std::regex_search(query.sql, kUnquoted)) table.traits.insert("unquoted");
    if (std::regex_search(query.sql, kOpen)) table.traits.insert("open");
    if (std::regex_search(query.sql, kUnquotedLabel)) table.traits.insert("unquoted-label");
    return table;
  }

 private:
  void Line(const std::string& line) {
    text_ += line;
    if (random_.Percent(3)) text_ += " ";
    if (random_.Percent(2)) text_ += "\r";
    text_ += '\n';
    if (random_.Percent(2)) text_ += random_.Word({"\n", "#\n", "  # not a continuation's\n"});
  }

  // On one line or several.
  void Query(const std::string& sql) {
    std::string lines = "query" + random_.Word({" = ", " = ", "=", " =\t"}) + sql;
    if (random_.Percent(25)) {
      for (const char* word : {" FROM ", " WHERE ", " AND ", " UNION ", " ORDER "}) {
        for (std::size_t at = lines.find(word); at != std::string::npos;
             at = lines.find(word, at + 8)) {
          if (random_.Percent(40)) continue;
          lines.insert(at,
                       random_.Word({"\n", "\n  ", "\n\t", "\n# a comment's line\n   ", " \n\n "}));
        }
      }
    }
    Line(lines);
  }

  void LegacyTable() {
    const SqlTable& table = SchemaTables()[random_.Below(4)];
    const auto column = [&]() -> const SqlColumn& { return random_.Pick(table.columns); };
    Line("table = " + table.name + random_.Word({"", "", " a", " AS a"}));
    Line("select_field = " + column().name +
         (random_.Percent(20) ? random_.Word({", 'x'", " || '%d'", "::text", " || '%%'"}) : ""));
    Line("where_field = " + (random_.Percent(75) ? table.columns.front().name : column().name));
    if (random_.Percent(40)) {
      const std::string more = RandomExpression(random_).Filter(table.name, column());
      if (text_.find(" a\n") == std::string::npos)
        Line("additional_conditions = AND " + more);
      else
        Line("additional_conditions = AND '%s' <> 'root' LIMIT 50");
    }
  }

  void ResultFormat() {
    if (random_.Percent(50)) return;
    static const char* const kFormats[] = {
        "%s",     "%S",       "%u",          "%d",      "%u@%d",           "%U@%D",
        "%1",     "%2.%1",    "OK",          "smtp:%s", "%s:%s",           "100%%",
        "%%%s%%", "%s/%u/%d", "lmtp:[%d]",   "%D/%U/",  "%u+%U@%d",        "[%s] %S",
        "%3",     "%s,%s",    "\"%s\" it's", "é%s",     "%s # no comment", "$%s",
        "%S %s",  "%d!%u",    "{%s}",
    };
    Line("result_format = " + random_.Word(kFormats));
  }

  void Domain() {
    if (!random_.Percent(14)) return;
    static const char* const kDomains[] = {
        "example1.net",     "example2.co.uk", "example3.com",  "EXAMPLE4.net",
        "example0.com",     "müller.example", ".example1.net", "!example6.com",
        "!nowhere.example", "static:all",     "com",           "example5.co.uk",
    };
    std::string list;
    for (std::size_t count = random_.Between(1, 8); count > 0; --count) {
      list += random_.Word(kDomains) + random_.Word({", ", " ", ","});
    }
    if (random_.Percent(60)) list += " static:all";
    Line("domain = " + list);
  }

  RandomSource& random_;
  std::string text_;
};

}  // namespace

DifferentialTable RandomTable(RandomSource& random, const std::string& name) {
  return TableWriter(random).Write(name);
}

}  // namespace proxymux::differential
