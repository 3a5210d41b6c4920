// Values of a /status.json document as words for a terminal. What is not there, or of another type,
// is "-": the document may be of an older or a newer process.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace proxymux::proxy::status_values {

using Json = nlohmann::json;

// A terminal must not obey what a file or a server named something.
std::string Printable(const std::string& text);

// Null when there is none.
const Json& Member(const Json& object, const char* name);
std::optional<double> Number(const Json& object, const char* name);

std::string Text(const Json& object, const char* name);
// Without its type, which is the same of every table.
std::string TableName(const Json& object, const char* name);
// Exact up to seven digits, then "12.3M" and "12.3G".
std::string Count(const Json& object, const char* name);
// "350ms", "12s", "5m10s", "3h05m", "12d04h".
std::string Milliseconds(const Json& object, const char* name);
std::string Bytes(const Json& object, const char* name);
// A member of the object's latency: "870us", "4.3ms", "12.0s"; "-" when nothing was measured.
std::string Latency(const Json& object, const char* name);

// What was done lately, in the shortest of the document's windows.
const Json& LastMinute(const Json& object);
// Of such a window: so many a second; how long that took.
std::string Rate(const Json& recent, const char* name);
std::string RecentLatency(const Json& recent, const char* name);

}  // namespace proxymux::proxy::status_values
