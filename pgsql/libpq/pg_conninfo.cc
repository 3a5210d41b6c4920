#include "pgsql/libpq/pg_conninfo.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "pgsql/libpq/pg_handles.h"

namespace proxymux::pgsql {
namespace {

using Parameters = std::map<std::string, std::string>;

bool IsConnectionString(const std::string& dbname) {
  return dbname.find('=') != std::string::npos || dbname.starts_with("postgresql://") ||
         dbname.starts_with("postgres://");
}

// libpq's message may quote parts of the string, and so a password: it is not passed on.
bool ParseConnectionString(const std::string& text, Parameters* parameters) {
  char* message = nullptr;
  PgOptionsHandle options(PQconninfoParse(text.c_str(), &message));
  const PgMemoryHandle free_message(message);
  if (options == nullptr) return false;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) (*parameters)[option->keyword] = option->val;
  }
  return true;
}

std::vector<std::string> SplitList(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (true) {
    const std::size_t comma = text.find(',', begin);
    parts.push_back(text.substr(begin, comma - begin));
    if (comma == std::string::npos) return parts;
    begin = comma + 1;
  }
}

std::string Take(Parameters* parameters, const char* name) {
  const auto found = parameters->find(name);
  if (found == parameters->end()) return {};
  std::string value = std::move(found->second);
  parameters->erase(found);
  return value;
}

// Lists of hosts, addresses and ports as libpq pairs them up: one port serves all hosts.
std::variant<std::vector<Endpoint>, std::string> TakeEndpoints(Parameters* parameters) {
  const std::vector<std::string> hosts = SplitList(Take(parameters, "host"));
  const std::vector<std::string> addresses = SplitList(Take(parameters, "hostaddr"));
  const std::vector<std::string> ports = SplitList(Take(parameters, "port"));
  const bool by_address = !(addresses.size() == 1 && addresses[0].empty());
  const bool by_host = !(hosts.size() == 1 && hosts[0].empty());
  const std::size_t count = by_address ? addresses.size() : hosts.size();
  if (by_address && by_host && hosts.size() != addresses.size()) {
    return "the connection string gives " + std::to_string(hosts.size()) + " hosts and " +
           std::to_string(addresses.size()) + " host addresses";
  }
  if (ports.size() != 1 && ports.size() != count) {
    return "the connection string gives " + std::to_string(count) + " hosts and " +
           std::to_string(ports.size()) + " ports";
  }
  for (const std::string& port : ports) {
    // What is no number may be a part of a password that was split at a comma.
    if (port.find_first_not_of("0123456789") == std::string::npos) continue;
    return std::string(
        "the connection string gives a port that is no number (not shown, since it may be a part "
        "of "
        "a password; a comma in a URI is written %2C)");
  }
  std::vector<Endpoint> endpoints(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (by_host) endpoints[i].host = hosts[i];
    if (by_address) endpoints[i].hostaddr = addresses[i];
    endpoints[i].port = ports.size() == 1 ? ports[0] : ports[i];
  }
  return endpoints;
}

std::string Label(const std::vector<Endpoint>& endpoints) {
  std::string label;
  for (const Endpoint& endpoint : endpoints) {
    if (!label.empty()) label += ',';
    const std::string& name = endpoint.host.empty() ? endpoint.hostaddr : endpoint.host;
    const bool bracket = name.find(':') != std::string::npos;
    label += name.empty() ? "local socket" : bracket ? "[" + name + "]" : name;
    if (!endpoint.port.empty()) label += ":" + endpoint.port;
  }
  return label;
}

std::string ValueOf(const Parameters& parameters, const char* name) {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : found->second;
}

void Override(Parameters* parameters, const char* name, const std::string& value) {
  if (!value.empty()) (*parameters)[name] = value;
}

}  // namespace

bool Endpoint::NeedsResolving() const {
  return hostaddr.empty() && !host.empty() && host[0] != '/' && host[0] != '@';
}

std::string ConnectPlan::Parameter(std::string_view name) const {
  const auto at = std::ranges::find_if(
      parameters, [&](const auto& parameter) { return parameter.first == name; });
  return at == parameters.end() ? std::string() : at->second;
}

bool operator==(const Endpoint& a, const Endpoint& b) {
  return a.host == b.host && a.hostaddr == b.hostaddr && a.port == b.port;
}

std::variant<ConnectPlan, std::string> MakeConnectPlan(const config::TableConfig& table,
                                                       const HostSpec& host,
                                                       const config::PoolSettings& settings) {
  Parameters parameters;
  if (host.kind == HostKind::kUri) {
    if (!ParseConnectionString(host.name, &parameters)) {
      return std::string(
          "a connection URI in hosts is malformed (it is not shown: it may hold a password)");
    }
  } else {
    if (IsConnectionString(table.dbname)) {
      if (!ParseConnectionString(table.dbname, &parameters)) {
        return std::string(
            "dbname is a malformed connection string (it is not shown: it may hold a password)");
      }
    } else {
      Override(&parameters, "dbname", table.dbname);
    }
    if (!host.name.empty()) {
      parameters.erase("hostaddr");
      parameters["host"] = host.name;
    }
    if (host.port != 0) parameters["port"] = std::to_string(host.port);
    Override(&parameters, "user", table.user);
    Override(&parameters, "password", table.password);
  }

  if (parameters.contains("service")) {
    return std::string(
        "the connection string names a service, and libpq's service files are not read: they may "
        "hold host names, which libpq would look up itself while every lookup waits; write what "
        "the file says about the service (hosts, user, password, dbname) instead");
  }

  Override(&parameters, "sslmode", settings.sslmode);
  Override(&parameters, "sslrootcert", settings.sslrootcert);
  Override(&parameters, "sslcert", settings.sslcert);
  Override(&parameters, "sslkey", settings.sslkey);
  Override(&parameters, "target_session_attrs", settings.target_session_attrs);
  // Which of several hosts is preferred is the pool's business: libpq knows of one, and would
  // connect to it twice.
  const std::string attrs = ValueOf(parameters, "target_session_attrs");
  const bool prefers_standby = attrs == "prefer-standby";
  if (prefers_standby) parameters.erase("target_session_attrs");
  if (!table.encoding.empty()) parameters["client_encoding"] = table.encoding;
  parameters.try_emplace("fallback_application_name", settings.application_name);
  parameters.try_emplace("gssencmode", "disable");
  parameters.try_emplace("tcp_user_timeout", std::to_string(settings.tcp_user_timeout.count()));
  // libpq's unit is the second; 0 stays 0, the kernel's own default.
  const auto idle = std::chrono::ceil<std::chrono::seconds>(settings.keepalive_idle);
  parameters.try_emplace("keepalives_idle", std::to_string(idle.count()));
  parameters.try_emplace("keepalives_interval", "5");
  parameters.try_emplace("keepalives_count", "3");
  parameters.erase("connect_timeout");  // ours, per address

  auto endpoints = TakeEndpoints(&parameters);
  if (const auto* error = std::get_if<std::string>(&endpoints)) return *error;

  for (const Endpoint& endpoint : std::get<std::vector<Endpoint>>(endpoints)) {
    // libpq ends a URI's password at the first '@' and takes what is left of it for a host.
    if (endpoint.host.find('@', 1) != std::string::npos && endpoint.host[0] != '/') {
      return std::string(
          "a host name holds an '@': in a connection URI write %40 for it in the password (it is "
          "not shown: it may be a part of one)");
    }
  }

  ConnectPlan plan;
  plan.prefers_standby = prefers_standby;
  plan.wants_primary = attrs == "read-write" || attrs == "primary";
  plan.endpoints = std::get<std::vector<Endpoint>>(std::move(endpoints));
  const bool is_uri = host.kind == HostKind::kUri;
  const bool hide_host = WhetherToShow(host.name) != Showable::kYes;
  const bool hide_dbname = !is_uri && WhetherToShow(table.dbname) != Showable::kYes;
  plan.secretive = hide_host || hide_dbname;
  if (!plan.secretive) {
    plan.label = Label(plan.endpoints);
    plan.user = ValueOf(parameters, "user");
    plan.dbname = ValueOf(parameters, "dbname");
  } else {
    // What stands in settings of its own is what it says.
    plan.label = hide_host || host.name.empty() ? kHiddenHost : Label(plan.endpoints);
    if (!is_uri) plan.user = table.user;
    if (!is_uri && !hide_dbname) plan.dbname = ValueOf(parameters, "dbname");
  }
  if (is_uri) {
    plan.from = ConnectPlan::From::kUri;
  } else if (IsConnectionString(table.dbname)) {
    plan.from = ConnectPlan::From::kDbname;
  }
  plan.parameters.assign(parameters.begin(), parameters.end());
  return plan;
}

}  // namespace proxymux::pgsql
