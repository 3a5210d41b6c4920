#include "proxy/status/status_rates.h"

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <vector>

namespace proxymux::proxy {
namespace {

using Json = nlohmann::json;

double Number(const Json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

double Sum(const Json& object, const std::vector<const char*>& names) {
  double sum = 0;
  for (const char* name : names) sum += Number(object, name);
  return sum;
}

bool HasName(const Json& element, const Json& name) {
  return element.is_object() && element.contains("name") && element["name"] == name;
}

// The element of the same name, at the same place if there is one: names of hosts that are hidden
// are the same. Null: there is none.
const Json* Find(const Json& elements, const Json& like, std::size_t place) {
  if (!elements.is_array() || !like.is_object() || !like.contains("name")) return nullptr;
  if (place < elements.size() && HasName(elements[place], like["name"])) return &elements[place];
  for (const Json& element : elements) {
    if (HasName(element, like["name"])) return &element;
  }
  return nullptr;
}

// Of each of `later` that was there before, at its place or at another.
void SetRates(const Json& earlier, double ms, const std::vector<const char*>& done,
              const std::vector<const char*>& failed, Json* later) {
  if (!later->is_array()) return;
  for (std::size_t i = 0; i < later->size(); ++i) {
    Json& element = (*later)[i];
    const Json* const before = Find(earlier, element, i);
    if (before == nullptr || !element.contains("recent") || !element["recent"].is_object())
      continue;
    Json& minute = element["recent"]["1m"];
    // What was made anew counts from 0 again.
    const auto rate = [&](const std::vector<const char*>& names) {
      return std::max(0.0, (Sum(element, names) - Sum(*before, names)) * 1000 / ms);
    };
    minute = {{"span_ms", ms},
              {"done_per_s", rate(done)},
              {"failed_per_s", rate(failed)},
              {"p50_us", Number(minute, "p50_us")},
              {"p99_us", Number(minute, "p99_us")}};
  }
}

bool SameProcess(const Json& some, const Json& other) {
  for (const char* name : {"pid", "started"}) {
    if (!some.contains(name) || !other.contains(name) || some[name] != other[name]) return false;
  }
  return true;
}

}  // namespace

std::string RatesSince(std::string_view earlier, std::string_view later) {
  const Json before = Json::parse(earlier, nullptr, /*allow_exceptions=*/false);
  Json now = Json::parse(later, nullptr, /*allow_exceptions=*/false);
  const double ms = Number(now, "uptime_ms") - Number(before, "uptime_ms");
  if (!before.is_object() || !now.is_object() || ms <= 0 || !SameProcess(before, now)) {
    return std::string(later);
  }
  if (now.contains("tables")) {
    SetRates(before.value("tables", Json()), ms, {"found", "not_found"}, {"retry", "config"},
             &now["tables"]);
  }
  if (now.contains("pools") && now["pools"].is_array()) {
    const Json pools_before = before.value("pools", Json());
    for (std::size_t i = 0; i < now["pools"].size(); ++i) {
      Json& pool = now["pools"][i];
      const Json* const was = Find(pools_before, pool, i);
      if (was == nullptr || !pool.contains("hosts")) continue;
      SetRates(was->value("hosts", Json()), ms, {"ok"}, {"failed"}, &pool["hosts"]);
    }
  }
  return now.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace proxymux::proxy
