// A command of `proxymux ctl` that changes something, on its way to the service and back.
//
// In HTTP it is POST /control/COMMAND?NAME=VALUE&NAME=VALUE, without a body, and only over a UNIX
// socket, from root or from the user that the service runs as. The answer is text for people.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace proxymux::proxy {

inline constexpr std::string_view kControlPath = "/control/";

struct ControlRequest {
  std::string command;                                        // "disable"
  std::map<std::string, std::string, std::less<>> arguments;  // any bytes

  // Null: it was not given.
  const std::string* Find(std::string_view name) const;
  // The path and the query, as they stand in the request.
  std::string Target() const;
};

enum class ControlOutcome {
  kDone,
  kMalformed,  // no such command, or arguments that it does not take
  kUnknown,    // no such host or table
  kRefused,    // it would do harm, or cannot be done now
};

struct ControlReply {
  ControlOutcome outcome = ControlOutcome::kDone;
  std::string text;  // whole lines: what was done, or why nothing was changed
};

// Has the command carried out. Nothing: that was not begun within the time, and never will be.
using ControlFunction =
    std::function<std::optional<ControlReply>(const ControlRequest&, std::chrono::milliseconds)>;

unsigned HttpStatusOf(ControlOutcome outcome);

}  // namespace proxymux::proxy
