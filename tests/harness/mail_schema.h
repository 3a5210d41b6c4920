// The mail system that tests and the demo look up: generated rows in PostgreSQL, the same on every
// mirror, and the pgsql_table(5) files that ask for them.
//
// Rows, for N from 1 to `users`: the alias userN@exampleM.com (M = N mod 100) leads to
// boxN@store.example.net; that is a mailbox stored as store.example.net/boxN/. `list@example0.com`
// leads to the first three users, `o'brien@example0.com` to box7.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/harness/postgres_cluster.h"

namespace proxymux::harness {

inline constexpr char kMailDatabase[] = "mail";
inline constexpr char kMailRole[] = "mailreader";  // may only SELECT
inline constexpr char kMailPassword[] = "let me read";

// Creates database, role, tables and rows. `sql` runs a text in a database as the superuser.
void CreateMailDatabase(
    const std::function<void(const std::string& database, const std::string& text)>& sql,
    int users = 1000);
void CreateMailDatabase(PostgresCluster& cluster, int users = 1000);

std::string AliasOf(int user);    // user7@example7.com
std::string AddressOf(int user);  // box7@store.example.net

struct TableFile {
  std::string name;  // pgsql-aliases.cf
  std::string text;
};

// One file per table, each with `hosts = HOSTS`: aliases, alias-domains, mailbox-domains,
// mailboxes, transport, relay and id (which asks for a number and so fails, on the server, for a
// key that is none).
std::vector<TableFile> MailTables(const std::string& hosts);

// A lookup that has an answer, for the n-th row (1 to `users`) behind one of those tables.
struct MailLookup {
  std::string key;
  std::string value;
};
MailLookup LookupIn(const std::string& table_name, int row);

// The five tables with many keys or many clients, for load.
std::vector<std::string> LoadTables();

// The text of a .cf file with the schema's user, password and database.
std::string TableText(const std::string& hosts, const std::string& query,
                      const std::string& more = "");

}  // namespace proxymux::harness
