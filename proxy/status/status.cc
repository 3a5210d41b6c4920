#include "proxy/status/status.h"

namespace proxymux::proxy {

std::string_view ServiceModeName(ServiceMode mode) {
  switch (mode) {
    case ServiceMode::kMaster:
      return "master";
    case ServiceMode::kStandalone:
      return "standalone";
  }
  return "";
}

std::string_view ServiceStateName(ServiceState state) {
  switch (state) {
    case ServiceState::kServing:
      return "serving";
    case ServiceState::kDraining:
      return "draining";
  }
  return "";
}

std::string_view RelayModeName(RelayMode mode) {
  switch (mode) {
    case RelayMode::kNone:
      return "none";
    case RelayMode::kSocket:
      return "socket";
    case RelayMode::kProcesses:
      return "processes";
  }
  return "";
}

std::string_view TableStateName(TableState state) {
  switch (state) {
    case TableState::kOk:
      return "ok";
    case TableState::kBroken:
      return "broken";
    case TableState::kStale:
      return "stale";
    case TableState::kFailing:
      return "failing";
  }
  return "";
}

std::string_view OutageStateName(OutageState state) {
  switch (state) {
    case OutageState::kServing:
      return "serving";
    case OutageState::kWaiting:
      return "waiting";
    case OutageState::kDown:
      return "down";
  }
  return "";
}

std::string_view PlanKindName(PlanKind kind) {
  switch (kind) {
    case PlanKind::kNone:
      return "none";
    case PlanKind::kText:
      return "text";
    case PlanKind::kParameterized:
      return "parameterized";
    case PlanKind::kPrepared:
      return "prepared";
  }
  return "";
}

}  // namespace proxymux::proxy
