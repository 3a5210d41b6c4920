#include "proxy/survey/relation_size.h"

#include <array>
#include <charconv>
#include <optional>
#include <variant>

namespace proxymux::proxy {
namespace {

long long Number(const std::optional<std::string>& text) {
  long long number = 0;
  if (text.has_value()) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

}  // namespace

RelationSize SizeOf(const std::string& schema, const std::string& name, pgsql::PgInquiry* server) {
  const std::array<const char*, 2> values = {schema.c_str(), name.c_str()};
  const pgsql::PgInquiry::Answer answer = server->Ask(
      "SELECT c.reltuples::pg_catalog.int8, pg_catalog.pg_relation_size(c.oid) "
      "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
      "WHERE n.nspname = $1 AND c.relname = $2",
      values);
  const auto* rows = std::get_if<0>(&answer);
  if (rows == nullptr || rows->size() != 1) return {};
  return {Number(rows->front()[0]), Number(rows->front()[1])};
}

}  // namespace proxymux::proxy
