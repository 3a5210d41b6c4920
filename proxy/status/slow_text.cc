#include "proxy/status/slow_text.h"

#include "proxy/status/status_values.h"
#include "proxy/text/text_grid.h"

namespace proxymux::proxy {

using namespace status_values;

std::variant<std::string, StatusTextError> SlowText(std::string_view json, std::size_t width) {
  const Json status = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  const Json& slow = Member(status, "slow");
  if (!slow.is_array()) return StatusTextError{"this service tells of no slow lookups"};
  if (slow.empty()) return std::string("no lookup has been slow (log.slow)\n");
  TextGrid grid({"TABLE", "HOST", "AGO", "TOOK", "WAITED", "USUAL"}, 2);
  for (const Json& lookup : slow) {
    const std::string host = Text(lookup, "host");
    grid.Add({TableName(lookup, "table"), host.empty() ? "-" : host, Milliseconds(lookup, "age_ms"),
              Milliseconds(lookup, "took_ms"), Milliseconds(lookup, "waited_ms"),
              RecentLatency(lookup, "usual_us")});
  }
  return grid.Render(width);
}

}  // namespace proxymux::proxy
