#include "proxy/survey/server_fault.h"

#include <array>

namespace proxymux::proxy {
namespace {

struct Grant {
  std::string_view words;  // of PostgreSQL's messages in English
  std::string_view advice;
};

constexpr std::array kGrants = {
    Grant{"for schema", "GRANT USAGE on it to the role that asks"},
    Grant{"for function", "GRANT EXECUTE on it to the role that asks"},
    Grant{"for procedure", "GRANT EXECUTE on it to the role that asks"},
    Grant{"for table", "GRANT SELECT on it to the role that asks"},
    Grant{"for view", "GRANT SELECT on it to the role that asks"},
    Grant{"for materialized view", "GRANT SELECT on it to the role that asks"},
    Grant{"for foreign table", "GRANT SELECT on it to the role that asks"},
};

}  // namespace

FaultKind KindOf(std::string_view sqlstate) {
  const std::string_view kind = sqlstate.substr(0, 2);
  if (kind == "42" || kind == "3F" || kind == "0A") return FaultKind::kMistake;
  // P0: raised by a function that the planner ran with a value of the sample.
  if (kind == "22" || kind == "P0") return FaultKind::kData;
  return FaultKind::kPassing;
}

std::string AdviceFor(const pgsql::PgInquiry::Fault& fault) {
  if (fault.sqlstate != "42501") return fault.hint;
  for (const Grant& grant : kGrants) {
    if (fault.message.find(grant.words) != std::string::npos) return std::string(grant.advice);
  }
  return "GRANT the role that asks what it needs";
}

}  // namespace proxymux::proxy
