// Tables for tests, of a query or of a table file's text. No file stands beside them: a list of
// domains in one is not there.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "config/values/table_config.h"
#include "pgsql/sql/sql_lexer.h"
#include "pgsql/table/compiled_table.h"

namespace proxymux::pgsql {

using Compilation = std::variant<std::shared_ptr<const CompiledTable>, CompiledTable::Errors>;

// On localhost, in database mail.
config::TableConfig TableOfQuery(const std::string& query = "SELECT '%s'");
// What Postfix reads in a file of that name; its database is mail.
config::TableConfig TableOfFile(const std::string& text, const std::string& name = "/t.cf");

Compilation Compile(const config::TableConfig& table, const config::TableSettings& settings = {},
                    const DomainFilter::Fold& fold = LowerAscii);
// Null, and a failure of the test, when the table has a fault.
std::shared_ptr<const CompiledTable> Compiled(const config::TableConfig& table,
                                              const config::TableSettings& settings = {},
                                              const DomainFilter::Fold& fold = LowerAscii);

}  // namespace proxymux::pgsql
