#include "tests/harness/mail_schema.h"

#include <stdexcept>

namespace proxymux::harness {

void CreateMailDatabase(PostgresCluster& cluster, int users) {
  CreateMailDatabase(
      [&](const std::string& database, const std::string& text) { cluster.Sql(database, text); },
      users);
}

void CreateMailDatabase(
    const std::function<void(const std::string& database, const std::string& text)>& sql,
    int users) {
  const std::string role = kMailRole;
  sql("postgres", "CREATE ROLE " + role + " LOGIN PASSWORD '" + kMailPassword + "'");
  sql("postgres", "CREATE DATABASE " + std::string(kMailDatabase));
  const std::string count = std::to_string(users);
  sql(kMailDatabase, R"(
    CREATE TABLE alias_domain (domain text PRIMARY KEY);
    CREATE TABLE alias (address text PRIMARY KEY, goto text NOT NULL);
    CREATE TABLE mailbox_domain (domain text PRIMARY KEY, transport text NOT NULL);
    CREATE TABLE mailbox (id integer UNIQUE, address text PRIMARY KEY, maildir text NOT NULL);
    CREATE TABLE relay_recipient (address text PRIMARY KEY);
    INSERT INTO alias_domain SELECT 'example' || n || '.com' FROM generate_series(0, 99) n;
    INSERT INTO alias SELECT 'user' || n || '@example' || n % 100 || '.com',
      'box' || n || '@store.example.net' FROM generate_series(1, )" +
                         count + R"() n;
    INSERT INTO alias VALUES
      ('list@example0.com', 'user1@example1.com,user2@example2.com,user3@example3.com'),
      ('o''brien@example0.com', 'box7@store.example.net');
    INSERT INTO mailbox_domain VALUES ('store.example.net', 'virtual');
    INSERT INTO mailbox SELECT n, 'box' || n || '@store.example.net',
      'store.example.net/box' || n || '/' FROM generate_series(1, )" +
                         count + R"() n;
    INSERT INTO relay_recipient SELECT 'relay' || n || '@relay.example.org'
      FROM generate_series(1, 100) n;
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO )" +
                         role + ";" + R"(
    ANALYZE;)");
}

std::string AliasOf(int user) {
  return "user" + std::to_string(user) + "@example" + std::to_string(user % 100) + ".com";
}

std::string AddressOf(int user) { return "box" + std::to_string(user) + "@store.example.net"; }

MailLookup LookupIn(const std::string& table_name, int row) {
  const std::string number = std::to_string(row);
  if (table_name == "pgsql-aliases.cf") return {AliasOf(row), AddressOf(row)};
  if (table_name == "pgsql-mailboxes.cf")
    return {AddressOf(row), "store.example.net/box" + number + "/"};
  if (table_name == "pgsql-transport.cf") return {AddressOf(row), "virtual:"};
  if (table_name == "pgsql-alias-domains.cf") {
    const std::string domain = "example" + std::to_string(row % 100) + ".com";
    return {domain, domain};
  }
  if (table_name == "pgsql-relay.cf") {
    const std::string address = "relay" + std::to_string(1 + row % 100) + "@relay.example.org";
    return {address, address};
  }
  throw std::runtime_error("no known answers in " + table_name);
}

std::vector<std::string> LoadTables() {
  return {"pgsql-aliases.cf", "pgsql-mailboxes.cf", "pgsql-transport.cf", "pgsql-alias-domains.cf",
          "pgsql-relay.cf"};
}

std::string TableText(const std::string& hosts, const std::string& query, const std::string& more) {
  return "hosts = " + hosts + "\nuser = " + kMailRole + "\npassword = " + kMailPassword +
         "\ndbname = " + kMailDatabase + "\nquery = " + query + "\n" + more;
}

std::vector<TableFile> MailTables(const std::string& hosts) {
  return {
      {"pgsql-aliases.cf", TableText(hosts, "SELECT goto FROM alias WHERE address = '%s'")},
      {"pgsql-alias-domains.cf",
       TableText(hosts, "SELECT domain FROM alias_domain WHERE domain = '%s'")},
      {"pgsql-mailbox-domains.cf",
       TableText(hosts, "SELECT domain FROM mailbox_domain WHERE domain = '%s'")},
      {"pgsql-mailboxes.cf", TableText(hosts, "SELECT maildir FROM mailbox WHERE address = '%s'",
                                       "domain = store.example.net\n")},
      {"pgsql-transport.cf",
       TableText(hosts, "SELECT transport FROM mailbox_domain WHERE domain = '%d'",
                 "result_format = %s:\n")},
      {"pgsql-relay.cf",
       TableText(hosts, "SELECT address FROM relay_recipient WHERE address = '%u@%d'")},
      {"pgsql-id.cf", TableText(hosts, "SELECT address FROM mailbox WHERE id = '%s'")},
  };
}

}  // namespace proxymux::harness
