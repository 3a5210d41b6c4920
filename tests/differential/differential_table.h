// One table of the differential suite: what it is called, and its pgsql_table(5) text.
//
// The text may hold placeholders, which are filled in when the table is written for an instance of
// Postfix: @HOSTS@ (host:port), @PORT@, @SOCKETS@ (the socket directory), @USER@, @PASSWORD@,
// @DATABASE@ and @DIRECTORY@ (where the .cf files stand).
#pragma once

#include <set>
#include <string>
#include <vector>

namespace proxymux::differential {

struct DifferentialTable {
  std::string name;  // "x.cf"; without a dot: settings of main.cf, x_hosts, x_query, ...
  std::string text;  // complete, with its hosts; empty: there is no such file
  bool row_order_defined = true;  // false: values are compared as sets of elements
  // The plan decides about the rows (LIMIT without ORDER BY): not for Options::further_modes.
  bool plan_decides = false;
  // postconf(1), and so `postfix start`, fails while such a file is there: it is written later.
  bool malformed = false;
  // What deliberate_differences asks about and cannot see for itself:
  //   unquoted  a placeholder of the query stands outside of quotes
  //   unquoted-label  as well; that one is %1
  //   open      one stands in a comment, a dollar quote or a quoted identifier
  //   escape    one stands in an E'' constant
  std::set<std::string> traits;
};

// A table and what it is asked for. Equal keys are asked once.
struct Question {
  DifferentialTable table;
  std::vector<std::string> keys;
};

// The lines that nearly every table begins with: hosts, user, password and dbname.
std::string ConnectionLines();

}  // namespace proxymux::differential
