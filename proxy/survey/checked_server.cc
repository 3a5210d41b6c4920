#include "proxy/survey/checked_server.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "config/values/duration.h"
#include "pgsql/table/statement_effects.h"

namespace proxymux::proxy {
namespace {

using Verified = CheckedServer::Verified;

std::string_view TextOf(Verified verified) {
  switch (verified) {
    case Verified::kNothing:
      return "nothing verified";
    case Verified::kCertificate:
      return "certificate verified, host name not";
    case Verified::kCertificateAndName:
      return "certificate and host name verified";
  }
  return "";
}

// "15.18 (Debian 15.18-1)" is 15.18.
std::string Number(const pgsql::ServerFacts& facts) {
  return facts.version.substr(0, facts.version.find(' '));
}

}  // namespace

std::string CheckedServer::Text() const {
  if (!facts.has_value()) return (reached() ? "not heard: " : "not reached: ") + fault;
  std::string text = "PostgreSQL " + Number(*facts) + (facts->standby ? ", standby" : ", primary");
  if (latest_change.has_value()) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(*latest_change);
    text += ", latest change " + config::FormatDuration(seconds) + " ago";
  }
  if (!address.empty() && host.find(address) == std::string::npos) text += ", at " + address;
  text += "; " + (tls.empty() ? "not encrypted" : tls + ", " + std::string(TextOf(verified)));
  text += "; database " + facts->database + " (" + facts->encoding + ") as " + facts->role;
  if (pooler) text += "; a pooler in between";
  text += "; " + std::to_string(facts->MostSessions()) + " sessions allowed, " +
          std::to_string(facts->used) + " used now; proxymux uses up to " +
          std::to_string(proxymux) + ", stock could use " +
          (stock == 0 ? std::string("any number") : std::to_string(stock));
  if (facts->version_number < pgsql::kEffectsFrom) {
    text += "; what functions do is not looked at before PostgreSQL 13";
  }
  if (!fault.empty()) text += "; not heard to the end: " + fault;
  return text;
}

nlohmann::ordered_json CheckedServer::Json() const {
  nlohmann::ordered_json json = {{"host", host},
                                 {"pool", pool},
                                 {"reached", reached()},
                                 {"fault", fault},
                                 {"address", address},
                                 {"tls", tls},
                                 {"verified", TextOf(verified)},
                                 {"pooler", pooler},
                                 {"proxymux_sessions", proxymux},
                                 {"stock_sessions", stock}};
  if (facts.has_value()) {
    json["version"] = Number(*facts);
    json["standby"] = facts->standby;
    json["database"] = facts->database;
    json["encoding"] = facts->encoding;
    json["role"] = facts->role;
    json["allowed_sessions"] = facts->MostSessions();
    json["used_sessions"] = facts->used;
  }
  if (latest_change.has_value()) json["latest_change_ms"] = latest_change->count();
  return json;
}

}  // namespace proxymux::proxy
