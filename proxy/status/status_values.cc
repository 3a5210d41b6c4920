#include "proxy/status/status_values.h"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

#include "proxy/text/shown_text.h"

namespace proxymux::proxy::status_values {
namespace {

constexpr std::size_t kLongestText = 4000;  // of a name or a reason
constexpr std::string_view kTableType = "pgsql:";

}  // namespace

std::string Printable(const std::string& text) { return ShownText(text, kLongestText); }

const Json& Member(const Json& object, const char* name) {
  static const Json missing;
  if (!object.is_object()) return missing;
  const auto found = object.find(name);
  return found == object.end() ? missing : *found;
}

std::string Text(const Json& object, const char* name) {
  const Json& value = Member(object, name);
  if (value.is_string()) return Printable(value.get<std::string>());
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_number_unsigned()) return fmt::format("{}", value.get<std::uint64_t>());
  if (value.is_number_integer()) return fmt::format("{}", value.get<std::int64_t>());
  return "-";
}

std::string TableName(const Json& object, const char* name) {
  std::string table = Text(object, name);
  if (table.starts_with(kTableType)) table.erase(0, kTableType.size());
  return table;
}

std::optional<double> Number(const Json& object, const char* name) {
  const Json& value = Member(object, name);
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

std::string Count(const Json& object, const char* name) {
  const auto count = Number(object, name);
  if (!count || *count < 1e7) return Text(object, name);
  if (*count < 1e9) return fmt::format("{:.1f}M", *count / 1e6);
  if (*count < 1e12) return fmt::format("{:.1f}G", *count / 1e9);
  return fmt::format("{:.1f}T", *count / 1e12);
}

static std::string Microseconds(double us) {
  if (us < 1000) return fmt::format("{:.0f}us", us);
  if (us < 1e6) return fmt::format("{:.1f}ms", us / 1e3);
  return fmt::format("{:.1f}s", us / 1e6);
}

std::string Latency(const Json& object, const char* name) {
  const Json& latency = Member(object, "latency");
  const auto us = Number(latency, name);
  if (!us || Number(latency, "count") == 0.0) return "-";
  return Microseconds(*us);
}

std::string Milliseconds(const Json& object, const char* name) {
  const auto ms = Number(object, name);
  if (!ms) return "-";
  if (*ms < 1000) return fmt::format("{:.0f}ms", *ms);
  const auto seconds = static_cast<std::int64_t>(*ms / 1000);
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  if (seconds < 86400) return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{}d{:02}h", seconds / 86400, seconds / 3600 % 24);
}

std::string Bytes(const Json& object, const char* name) {
  const auto bytes = Number(object, name);
  if (!bytes) return "-";
  if (*bytes < 1024) return fmt::format("{:.0f}B", *bytes);
  if (*bytes < 1024.0 * 1024) return fmt::format("{:.1f}KiB", *bytes / 1024);
  if (*bytes < 1024.0 * 1024 * 1024) return fmt::format("{:.1f}MiB", *bytes / 1024 / 1024);
  return fmt::format("{:.1f}GiB", *bytes / 1024 / 1024 / 1024);
}

const Json& LastMinute(const Json& object) { return Member(Member(object, "recent"), "1m"); }

std::string Rate(const Json& recent, const char* name) {
  const auto rate = Number(recent, name);
  if (!rate || Number(recent, "span_ms") == 0.0) return "-";
  return *rate < 9.95 ? fmt::format("{:.1f}", *rate) : fmt::format("{:.0f}", *rate);
}

std::string RecentLatency(const Json& recent, const char* name) {
  const auto us = Number(recent, name);
  if (!us || *us == 0) return "-";
  return Microseconds(*us);
}

}  // namespace proxymux::proxy::status_values
