#include "config/yaml/option_table.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <string>

namespace proxymux::config {
namespace {

using Server = OptionMember<ServerConfig>;
using Pool = OptionMember<PoolSettings>;
using Table = OptionMember<TableSettings>;

constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kKiB = 1024;
constexpr std::int64_t kMiB = 1024 * kKiB;

// An enum member as the number that the table's words are indexed with.
template <auto Pointer>
struct EnumAt;

template <typename Struct, typename Enum, Enum Struct::*Pointer>
struct EnumAt<Pointer> {
  static EnumMember<Struct> Make() {
    return {[](const Struct& from) { return static_cast<std::size_t>(from.*Pointer); },
            [](Struct& to, std::size_t value) { to.*Pointer = static_cast<Enum>(value); }};
  }
};

bool IsNotEmpty(std::string_view text) { return !text.empty(); }

// A numeric address, of IPv6 in brackets.
bool IsHost(std::string_view text) {
  const bool brackets = text.size() > 2 && text.front() == '[' && text.back() == ']';
  const std::string host(brackets ? text.substr(1, text.size() - 2) : text);
  in6_addr bytes;
  return inet_pton(brackets ? AF_INET6 : AF_INET, host.c_str(), &bytes) == 1;
}

bool IsListenAddress(std::string_view text) {
  if (text.empty() || text == "off" || text[0] == '/') return true;
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !IsHost(text.substr(0, colon))) return false;
  const std::string_view port = text.substr(colon + 1);
  int number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  return error == std::errc{} && end == port.data() + port.size() && port[0] != '-' &&
         number >= 1 && number <= 65535;
}

std::vector<Option> MakeOptions() {
  return {
      {.name = "drain_timeout",
       .member = Server(&ServerConfig::drain_timeout),
       .default_text = "5s",
       .minimum = 0,
       .maximum = kMinute,
       .help = "How long a stop or a reload of Postfix waits for lookups in flight; what is not "
               "done then is answered RETRY. While it lasts, master(8) starts no new process."},
      {.name = "greeting",
       .member = Server(&ServerConfig::greeting),
       .default_text = "true",
       .help = "Greet every client, as Postfix 3.6 and later expect. Set it to false for older "
               "clients, which do not read a greeting; no client of 3.6 or later works then."},
      {.name = "max_request",
       .member = Server(&ServerConfig::max_request),
       .default_text = "64KiB",
       .minimum = 4 * kKiB,
       .maximum = 16 * kMiB,
       .help = "The largest request of a client; a larger one closes its connection."},
      {.name = "max_clients",
       .member = Server(&ServerConfig::max_clients),
       .default_text = "15000",
       .minimum = 1,
       .maximum = 1000000,
       .help = "Clients connected at once; more wait in the listen queue."},
      {.name = "table_check_interval",
       .member = Server(&ServerConfig::table_check_interval),
       .default_text = "250ms",
       .minimum = 10,
       .maximum = kHour,
       .help = "How often the table files in use are looked at for changes."},
      {.name = "admin.listen",
       .member = Server(&ServerConfig::admin_listen),
       .default_text = "",
       .reloadable = false,
       .accepts = IsListenAddress,
       .form = "\"\", off, /path or a numeric ADDRESS:PORT",
       .help = "Where metrics, health and status are served: a UNIX-domain socket (/path), "
               "ADDRESS:PORT, or off. Empty: a UNIX-domain socket under data_directory. There is "
               "no authentication; use a loopback address."},
      {.name = "log.level",
       .member = Server(EnumAt<&ServerConfig::log_level>::Make()),
       .default_text = "info",
       .words = {"debug", "info", "warning", "error"},
       .help = "The least severe messages that are logged; warnings always are. The option -v in "
               "master.cf means debug."},
      {.name = "log.slow",
       .member = Server(&ServerConfig::log_slow),
       .default_text = "500ms",
       .minimum = 0,
       .maximum = kHour,
       .help = "A lookup that takes at least this long, and log.slow_times times as long as half "
               "of its table's lookups, is told in the log. 0s: none is."},
      {.name = "log.slow_times",
       .member = Server(&ServerConfig::log_slow_times),
       .default_text = "10",
       .minimum = 1,
       .maximum = 1000,
       .help = "See log.slow. 1: whatever the table's lookups usually take. That is known after "
               "a hundred of them."},
      {.name = "log.keys",
       .member = Server(&ServerConfig::log_keys),
       .default_text = "false",
       .help = "Show the key of a slow lookup in the log. Keys are addresses of people."},
      {.name = "relay.socket",
       .member = Server(&ServerConfig::relay_socket),
       .default_text = "private/proxymap",
       .accepts = IsNotEmpty,
       .form = "a path, or a name under the queue directory",
       .help = "The stock proxymap service that requests for other than pgsql tables go to when "
               "proxymux runs beside it."},
      {.name = "relay.processes",
       .member = Server(&ServerConfig::relay_processes),
       .default_text = "10",
       .minimum = 1,
       .maximum = 1000,
       .help = "Stock proxymap daemons at once that proxymux starts itself, or connections to the "
               "stock service beside it."},
      {.name = "relay.idle",
       .member = Server(&ServerConfig::relay_idle),
       .default_text = "1m",
       .minimum = kSecond,
       .maximum = kDay,
       .help = "A stock daemon of ours that has been idle for this time is ended."},
      {.name = "relay.timeout",
       .member = Server(&ServerConfig::relay_timeout),
       .default_text = "2m",
       .minimum = 10,
       .maximum = kHour,
       .help = "How long one relayed request may take before it is answered RETRY."},

      {.name = "connections",
       .member = Pool(&PoolSettings::connections),
       .default_text = "4",
       .minimum = 1,
       .maximum = 1000,
       .help = "Connections in all, over every host of the pool. Lookups are pipelined, so a few "
               "are enough; every table with the same hosts, user, password, database and encoding "
               "shares them."},
      {.name = "pipeline_depth",
       .member = Pool(&PoolSettings::pipeline_depth),
       .default_text = "32",
       .minimum = 1,
       .maximum = 10000,
       .help = "Statements in flight on one connection; 1 turns pipelining off."},
      {.name = "queue_limit",
       .member = Pool(&PoolSettings::queue_limit),
       .default_text = "10000",
       .minimum = 1,
       .maximum = 10000000,
       .help = "Lookups that may wait for a connection; more are answered RETRY at once."},
      {.name = "connect_timeout",
       .member = Pool(&PoolSettings::connect_timeout),
       .default_text = "3s",
       .minimum = 10,
       .maximum = 10 * kMinute,
       .help = "How long one address of a host may take from connecting until it is ready for "
               "queries."},
      {.name = "stall_limit",
       .member = Pool(&PoolSettings::stall_limit),
       .default_text = "1s",
       .minimum = 0,
       .maximum = 10 * kMinute,
       .help = "How long a connection may owe an answer before the lookups on it that only read "
               "are also asked of another host; the first answer counts. A table that is known to "
               "be slow has its usual time on top. 0s: never."},
      {.name = "hosts_policy",
       .member = Pool(EnumAt<&PoolSettings::hosts_policy>::Make()),
       .default_text = "spread",
       .words = {"spread", "sticky"},
       .help = "Which of the hosts that work is used: UNIX-domain sockets before TCP before URIs, "
               "and among equals spread: all, by the least work in flight; sticky: one, chosen at "
               "random, until it fails."},
      {.name = "pooler",
       .member = Pool(EnumAt<&PoolSettings::pooler>::Make()),
       .default_text = "auto",
       .words = {"auto", "yes", "no"},
       .help = "Whether a pooler, such as PgBouncer, stands between: one batch of lookups at a "
               "time is then under way on a connection, and no statement is prepared. auto: it is "
               "found out by the process that the server names and the one that answers. no, "
               "behind a pooler that keeps a server for a whole session, gives back what that "
               "costs."},
      {.name = "target_session_attrs",
       .member = Pool(&PoolSettings::target_session_attrs),
       .default_text = "",
       .words = {"any", "read-write", "read-only", "primary", "standby", "prefer-standby"},
       .help =
           "Which servers are used, as libpq's target_session_attrs; another one counts as down "
           "and is asked again until it is one. prefer-standby: a primary only while no other "
           "can be used. Empty: what the table's dbname or host URI says, else any."},
      {.name = "queue_wait",
       .member = Pool(&PoolSettings::queue_wait),
       .default_text = "10s",
       .minimum = 10,
       .maximum = kHour,
       .help = "How long a lookup may wait for a connection before it is answered RETRY."},
      {.name = "outage_wait",
       .member = Pool(&PoolSettings::outage_wait),
       .default_text = "5s",
       .minimum = 0,
       .maximum = 5 * kMinute,
       .help = "How long lookups wait when no server of the pool can be reached, counted from the "
               "beginning of the outage; then they are answered RETRY at once until one is back. "
               "0s: at "
               "once from the beginning."},
      {.name = "max_replica_lag",
       .member = Pool(&PoolSettings::max_replica_lag),
       .default_text = "0s",
       .minimum = 0,
       .maximum = kDay,
       .help =
           "How far a standby may be behind its primary and still be asked: it answers \"not "
           "found\" "
           "for what it does not have yet. It is used again when it has caught up. Each host of "
           "the "
           "pool has to be a server of its own, without a load balancer between. 0s: however far."},
      {.name = "when_all_lag",
       .member = Pool(EnumAt<&PoolSettings::when_all_lag>::Make()),
       .default_text = "use",
       .words = {"use", "retry"},
       .help = "When all servers that can be reached are further behind than max_replica_lag: use: "
               "those that are least behind are asked all the same, also when others have been "
               "away for longer than outage_wait; retry: lookups wait for outage_wait, then they "
               "are answered RETRY."},
      {.name = "tcp_user_timeout",
       .member = Pool(&PoolSettings::tcp_user_timeout),
       .default_text = "10s",
       .minimum = 0,
       .maximum = kHour,
       .help = "How long sent data may stay unacknowledged before the kernel drops the connection "
               "(tcp(7), TCP_USER_TIMEOUT); 0s leaves it to the kernel."},
      {.name = "keepalive_idle",
       .member = Pool(&PoolSettings::keepalive_idle),
       .default_text = "30s",
       .minimum = 0,
       .maximum = kDay,
       .help = "How long a connection may be silent before the first TCP keepalive probe; whole "
               "seconds count, and 0s leaves it to the kernel."},
      {.name = "sslmode",
       .member = Pool(&PoolSettings::sslmode),
       .default_text = "",
       .words = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"},
       .security = true,
       .help = "Whether connections use TLS and what is verified, as libpq's sslmode. Empty: what "
               "the table's dbname or host URI says, else libpq's default."},
      {.name = "sslrootcert",
       .member = Pool(&PoolSettings::sslrootcert),
       .default_text = "",
       .security = true,
       .help = "File with the certificates of the authorities that servers are verified against. "
               "Must be readable for mail_owner."},
      {.name = "sslcert",
       .member = Pool(&PoolSettings::sslcert),
       .default_text = "",
       .security = true,
       .help = "File with the client certificate. Must be readable for mail_owner."},
      {.name = "sslkey",
       .member = Pool(&PoolSettings::sslkey),
       .default_text = "",
       .security = true,
       .help = "File with the key of the client certificate. Must belong to mail_owner, with mode "
               "0600, or to root, with mode 0640 at most."},
      {.name = "application_name",
       .member = Pool(&PoolSettings::application_name),
       .default_text = "proxymux",
       .help = "What pg_stat_activity and the server's log show for the connections."},

      {.name = "query_timeout",
       .member = Table(&TableSettings::query_timeout),
       .default_text = "10s",
       .minimum = 10,
       .maximum = kHour,
       .help = "How long one statement may take on one server."},
      {.name = "lookup_timeout",
       .member = Table(&TableSettings::lookup_timeout),
       .default_text = "20s",
       .minimum = 10,
       .maximum = kHour,
       .help = "How long one lookup may take in all, with waiting and with a second server, before "
               "it is answered RETRY."},
      {.name = "max_value",
       .member = Table(&TableSettings::max_value),
       .default_text = "4MiB",
       .minimum = 1,
       .maximum = 32 * kMiB,
       .help =
           "The largest result; a larger one is logged and answered RETRY. It also bounds what "
           "a connection keeps of one answer: 8 times this and 1MiB, or one row, as received; in "
           "memory up to four times that."},
      {.name = "coalesce",
       .member = Table(EnumAt<&TableSettings::coalesce>::Make()),
       .default_text = "in_flight",
       .words = {"in_flight", "unsent", "off"},
       .help = "in_flight: equal lookups that meet are asked once. unsent: only until the question "
               "is sent to the server, so that no answer is older than its question. off: every "
               "lookup is asked by itself. Statements that may write are never coalesced."},
      {.name = "unquoted_placeholders",
       .member = Table(EnumAt<&TableSettings::unquoted_placeholders>::Make()),
       .default_text = "numbers",
       .words = {"numbers", "any"},
       .help =
           "What may replace a placeholder of the query that stands outside quotes. numbers: "
           "only a plain number, any other key is answered RETRY. any: every key, as Postfix's own "
           "client does; whoever chooses the key can then change the statement."},
      {.name = "statement_mode",
       .member = Table(EnumAt<&TableSettings::statement_mode>::Make()),
       .default_text = "auto",
       .words = {"auto", "legacy", "parameterized", "prepared"},
       .help =
           "How the key reaches the server, unless the table's file has a statement_mode of its "
           "own. legacy: escaped, in the text of the query. parameterized: as parameters; "
           "nothing is kept on the server. prepared: as parameters of a prepared statement. "
           "auto: prepared where no plan can change the answer, else as legacy; one lookup alone "
           "in the text where that is answered sooner. A query that "
           "cannot be sent so is sent as legacy. parameterized and prepared bind placeholders "
           "outside quotes too."},
      {.name = "hedge_percent",
       .member = Table(&TableSettings::hedge_percent),
       .default_text = "0",
       .minimum = 0,
       .maximum = 100,
       .help =
           "A lookup that takes longer than 99% of the table's lookups usually do is also asked "
           "of another host, and the first answer counts; of so many percent of the lookups at "
           "most. 0: never. Only statements that read."},
      {.name = "stale_if_error",
       .member = Table(&TableSettings::stale_if_error),
       .default_text = "0s",
       .minimum = 0,
       .maximum = kDay,
       .help = "While every host is down, an answer from before that is not older than this is "
               "given instead of RETRY, found or not found; what has changed in the database since "
               "is not seen. As many are kept as cache.max_entries says. 0s: none."},
      // Dotted names come last in their scope: a section ends where the next one begins.
      {.name = "cache.ttl",
       .member = Table(&TableSettings::cache_ttl),
       .default_text = "0s",
       .minimum = 0,
       .maximum = kHour,
       .help = "How long an answer that was found is kept and given again, from when the server "
               "was asked; what changes in the database meanwhile is not seen. 0s: not at all. "
               "Answers of statements that may write are never kept, and errors neither."},
      {.name = "cache.negative_ttl",
       .member = Table(&TableSettings::cache_negative_ttl),
       .default_text = "0s",
       .minimum = 0,
       .maximum = kHour,
       .help = "The same for keys that were not found. 0s: not at all."},
      {.name = "cache.max_entries",
       .member = Table(&TableSettings::cache_max_entries),
       .default_text = "10000",
       .minimum = 1,
       .maximum = 1000000,
       .help = "Answers that are kept at most, found and not found, in at most 512 bytes of memory "
               "times this number. One of more than 4KiB with its key is not kept."},
  };
}

}  // namespace

OptionType Option::type() const {
  // The order of OptionMember's alternatives is the order of OptionType.
  return static_cast<OptionType>(std::visit([](const auto& m) { return m.index(); }, member));
}

std::span<const Option> Options() {
  static const std::vector<Option> options = MakeOptions();
  return options;
}

const Option* FindOption(OptionScope scope, std::string_view name) {
  for (const Option& option : Options()) {
    if (option.scope() == scope && option.name == name) return &option;
  }
  return nullptr;
}

std::vector<std::string_view> OptionNames(OptionScope scope) {
  std::vector<std::string_view> names;
  for (const Option& option : Options()) {
    if (option.scope() == scope) names.push_back(option.name);
  }
  return names;
}

}  // namespace proxymux::config
