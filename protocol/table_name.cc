#include "protocol/table_name.h"

namespace proxymux::protocol {

std::string_view StripProxyPrefixes(std::string_view table) {
  while (table.starts_with(kProxyPrefix)) table.remove_prefix(kProxyPrefix.size());
  return table;
}

}  // namespace proxymux::protocol
