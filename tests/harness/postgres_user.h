// What everything that runs as user postgres has in common: directories of its own, how it is
// started, where the server's programs are, and SQL as superuser. Errors throw std::runtime_error.
#pragma once

#include <string>

#include "tests/harness/process.h"

namespace proxymux::harness {

// Makes a directory, which must not exist yet, that belongs to postgres.
void MakePostgresDirectory(const std::string& directory);

// For commands that work in `directory`.
CommandOptions AsPostgres(const std::string& directory);

// Debian keeps the server's programs in a directory per major version: that of the newest one.
std::string PostgresPrograms();

// On a connection of its own; the first column of the last result's first row, or "".
std::string RunSql(const std::string& conninfo, const std::string& text);

}  // namespace proxymux::harness
