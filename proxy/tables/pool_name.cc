#include "proxy/tables/pool_name.h"

#include <algorithm>
#include <cstddef>

#include "pgsql/table/host_spec.h"

namespace proxymux::proxy {

PoolName PoolName::Parse(std::string_view text) {
  PoolName name;
  const std::size_t number = text.rfind('#');
  if (number != std::string_view::npos && number + 1 < text.size() &&
      text.find_first_not_of("0123456789", number + 1) == std::string_view::npos) {
    text = text.substr(0, number);
  }
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    name.user = text.substr(0, at);
    text.remove_prefix(at + 1);
  }
  // The last slash: a socket directory among the hosts has slashes of its own.
  if (const std::size_t slash = text.rfind('/'); slash != std::string_view::npos) {
    name.dbname = text.substr(slash + 1);
    text = text.substr(0, slash);
  }
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) name.hosts.emplace(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return name;
}

bool PoolName::ResemblesPoolOf(const PoolName& other) const {
  if (user == other.user && dbname == other.dbname) return true;
  if (other.hosts.contains(pgsql::kHiddenHost)) return true;
  return std::any_of(hosts.begin(), hosts.end(),
                     [&other](const std::string& host) { return other.hosts.contains(host); });
}

}  // namespace proxymux::proxy
