#include "tests/differential/schema_columns.h"

#include <algorithm>
#include <stdexcept>

namespace proxymux::differential {

bool LooksDifferentWhenEqual(SqlType type) {
  return type == SqlType::kCitext || type == SqlType::kNumeric || type == SqlType::kNetwork ||
         type == SqlType::kComposite || type == SqlType::kJsonb || type == SqlType::kChar;
}

const std::vector<SqlTable>& SchemaTables() {
  using enum SqlType;
  static const std::vector<SqlTable> tables = {
      {"alias",
       30,
       {{"address", kText, Holds::kAddress},
        {"goto", kText, Holds::kOther},
        {"domain", kText, Holds::kDomain},
        {"caddress", kCitext, Holds::kAddress},
        {"id", kInteger, Holds::kNumber},
        {"active", kBoolean, Holds::kOther},
        {"expires", kTimestamp, Holds::kOther}}},
      {"mailbox",
       30,
       {{"username", kText, Holds::kAddress},   {"local_part", kText, Holds::kUser},
        {"domain", kText, Holds::kDomain},      {"maildir", kText, Holds::kOther},
        {"cuser", kCitext, Holds::kAddress},    {"name", kText, Holds::kOther},
        {"code", kChar, Holds::kUser},          {"contact", kText, Holds::kAddress},
        {"id", kInteger, Holds::kNumber},       {"quota", kInteger, Holds::kNumber},
        {"active", kInteger, Holds::kNumber},   {"state", kEnum, Holds::kOther},
        {"uid", kUuid, Holds::kOther},          {"last_login", kTimestamp, Holds::kOther},
        {"last_ip", kNetwork, Holds::kNetwork}, {"tags", kTextArray, Holds::kOther},
        {"extra", kJson, Holds::kOther},        {"secret", kBytea, Holds::kOther},
        {"score", kNumeric, Holds::kNumber},    {"weight", kNumeric, Holds::kNumber}}},
      {"domain",
       18,
       {{"name", kText, Holds::kDomain},
        {"description", kText, Holds::kOther},
        {"transport", kText, Holds::kOther},
        {"cname", kCitext, Holds::kDomain},
        {"padded", kChar, Holds::kDomain},
        {"id", kInteger, Holds::kNumber},
        {"maxquota", kInteger, Holds::kNumber},
        {"active", kBoolean, Holds::kOther},
        {"backupmx", kBoolean, Holds::kOther},
        {"settings", kJsonb, Holds::kOther},
        {"created", kTimestamp, Holds::kOther}}},
      {"member",
       12,
       {{"list", kText, Holds::kAddress},
        {"address", kText, Holds::kOther},
        {"position", kInteger, Holds::kNumber},
        {"active", kBoolean, Holds::kOther}}},
      {"alias_domain",
       6,
       {{"alias_domain", kText, Holds::kDomain},
        {"target_domain", kText, Holds::kDomain},
        {"active", kBoolean, Holds::kOther}}},
      {"transport",
       10,
       {{"pattern", kText, Holds::kDomain},
        {"transport", kText, Holds::kOther},
        {"nexthop", kText, Holds::kOther},
        {"id", kInteger, Holds::kNumber},
        {"route", kComposite, Holds::kOther},
        {"ports", kIntegerArray, Holds::kNumber}}},
      {"access",
       8,
       {{"pattern", kText, Holds::kPattern},
        {"regex", kText, Holds::kRegex},
        {"action", kText, Holds::kOther},
        {"network", kNetwork, Holds::kNetwork},
        {"id", kInteger, Holds::kNumber},
        {"prio", kInteger, Holds::kNumber}}},
      {"sender_login", 6, {{"sender", kText, Holds::kAddress}, {"login", kText, Holds::kUser}}},
      {"number",
       4,
       {{"whole", kInteger, Holds::kNumber},
        {"small", kInteger, Holds::kNumber},
        {"big", kInteger, Holds::kNumber},
        {"real4", kNumeric, Holds::kNumber},
        {"real8", kNumeric, Holds::kNumber},
        {"exact", kNumeric, Holds::kNumber},
        {"yes", kBoolean, Holds::kOther},
        {"bits", kBits, Holds::kOther}}},
      {"other.alias", 4, {{"address", kText, Holds::kAddress}, {"goto", kText, Holds::kOther}}},
      {"\"Mixed Case\"",
       4,
       {{"\"Key\"", kText, Holds::kAddress},
        {"\"a \"\"quoted\"\" %%\"", kText, Holds::kOther},
        {"\"it's\"", kText, Holds::kOther}}},
      {"active_mailbox",
       5,
       {{"username", kText, Holds::kAddress},
        {"maildir", kText, Holds::kOther},
        {"domain", kText, Holds::kDomain},
        {"cuser", kCitext, Holds::kAddress}}},
      {"virtual_user",
       5,
       {{"email", kText, Holds::kAddress},
        {"maildir", kText, Holds::kOther},
        {"transport", kText, Holds::kOther}}},
      {"body", 1, {{"name", kText, Holds::kUser}, {"content", kText, Holds::kOther}}},
  };
  return tables;
}

const std::vector<SqlJoin>& SchemaJoins() {
  static const std::vector<SqlJoin> joins = {
      {"alias", "domain", "b.name = a.domain"},
      {"mailbox", "domain", "b.name = a.domain"},
      {"mailbox", "alias", "b.domain = a.domain AND b.id = a.id"},
      {"member", "alias", "b.address = a.list"},
      {"member", "mailbox", "b.username = a.address"},
      {"alias_domain", "domain", "a.target_domain = b.name"},
      {"alias_domain", "mailbox", "b.domain = a.target_domain AND b.id < 400"},
      {"sender_login", "mailbox", "b.username = a.sender"},
      {"transport", "domain", "b.id = a.id"},
      {"mailbox", "domain", "a.cuser = ('user' || b.id || '@' || b.name)::citext"},
      {"access", "number", "b.whole = a.prio"},
  };
  return joins;
}

const SqlTable& SchemaTable(std::string_view name) {
  const auto& tables = SchemaTables();
  const auto found = std::find_if(tables.begin(), tables.end(),
                                  [&](const SqlTable& each) { return each.name == name; });
  if (found == tables.end()) throw std::runtime_error("no table " + std::string(name));
  return *found;
}

}  // namespace proxymux::differential
