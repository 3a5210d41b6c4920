#include "tests/integration/table_status.h"

#include <nlohmann/json.hpp>

#include "tests/harness/admin_client.h"

namespace proxymux::integration {

std::size_t TablesKnownToRead(const std::string& admin_socket) {
  const harness::HttpAnswer answer = harness::HttpGet(admin_socket, "/status.json");
  if (answer.status != 200) return 0;
  const auto document = nlohmann::json::parse(answer.body);
  std::size_t known = 0;
  for (const auto& table : document["tables"]) {
    if (table["may_write"] == false) ++known;
  }
  return known;
}

}  // namespace proxymux::integration
