// A snapshot in which every value differs, for the tests of what is made of it.
#pragma once

#include "proxy/status/status.h"

namespace proxymux::proxy {

inline ServiceStatus SampleStatus() {
  using std::chrono::microseconds;
  using std::chrono::milliseconds;
  ServiceStatus status;
  status.process.version = "0.1.0";
  status.process.versions = {"5f3c01aa00112233445566778899aabbccddeeff", "15.13", "1.44.2", "3.7"};
  status.process.program_file = "same";
  status.process.pid = 4711;
  status.process.service = "proxymap";
  status.process.config_directory = "/etc/postfix-second";
  status.process.mode = ServiceMode::kMaster;
  status.process.started = std::chrono::system_clock::time_point(std::chrono::seconds(1700000000));
  status.process.uptime = milliseconds(3'725'000);
  status.process.generation = 17;
  status.clients = {12, 345, 20000, 1};
  status.requests = {301, 90210, 2, 3, 4, 5};
  status.replies = {80001, 10002, 203, 14, 25, 36};
  status.malformed = 41;
  status.bytes_read = 1234567;
  status.bytes_written = 7654321;
  status.coalesced = 777;
  status.reloads = 6;
  status.reload_failures = 7;
  status.process.log_lines_dropped = 8;
  status.process.away = std::chrono::milliseconds(2500);
  status.process.loop_busy = microseconds(12'500'000);
  status.process.cpu_user = microseconds(10'250'000);
  status.process.cpu_system = microseconds(2'750'000);
  status.process.resident_bytes = 9'437'184;
  status.relay = {RelayMode::kProcesses, 2, 10, 3, 1, 4, 555, 9, 11, {}};
  RelayedTable relayed;
  relayed.name = "hash:/etc/aliases";
  relayed.requests = 554;
  relayed.failures = 10;
  relayed.latency.Record(microseconds(70));
  status.relay.tables.push_back(relayed);

  HostStatus up;
  up.name = "db1.example.com:5432";
  up.host_class = "inet";
  up.state = "up";
  up.usable = true;
  up.since = milliseconds(61'000);
  up.server_version = "17.6 (Debian 17.6-0+deb13u1)";
  up.role = "primary";
  up.lag = milliseconds(0);
  up.lag_age = milliseconds(900);
  up.connections = 4;
  up.in_flight = 2;
  up.ok = 5001;
  up.failed = 52;
  up.connects = 53;
  up.connect_failures = 54;
  for (int i = 1; i <= 100; ++i) up.latency.Record(microseconds(i * 10));
  up.recent[0] = {milliseconds(60'000), 83.5, 0.25, microseconds(510), microseconds(1000)};
  HostStatus down;
  down.name = "/var/run/postgresql";
  down.host_class = "unix";
  down.state = "down";
  down.reason = "connection refused";
  down.down = "unreachable";
  down.last_failure = {"connection refused", milliseconds(440)};
  down.since = milliseconds(450);
  down.role = "standby";
  down.lag = milliseconds(12'345);
  down.lag_age = milliseconds(29'000);
  down.too_far_behind = true;
  down.lone_simple = true;

  PoolStatus pool;
  pool.name = "mail@db1.example.com,/var/run/postgresql/mail";
  pool.outage = {OutageState::kWaiting, milliseconds(2345), 610, 611, 612};
  pool.limit = 4;
  pool.open = 3;
  pool.connecting = 1;
  pool.busy = 2;
  pool.idle = 1;
  pool.queue_length = 13;
  pool.queue_limit = 10000;
  pool.oldest_wait = milliseconds(42);
  pool.lookups = 601;
  pool.statements = 602;
  pool.syncs = 603;
  pool.reruns = 604;
  pool.asked_twice_stall = 608;
  pool.asked_twice_hedge = 609;
  pool.queue_timeouts = 605;
  pool.lookup_timeouts = 613;
  pool.statement_timeouts = 614;
  pool.busy_time = microseconds(61'500'000);
  pool.queued_time = microseconds(6'160'000);
  pool.most_busy = 3;
  pool.most_queued = 617;
  pool.cancels = 606;
  pool.queue_full = 607;
  pool.hosts = {up, down};
  status.pools = {pool};

  TableStatus good;
  good.name = "pgsql:/etc/postfix/virtual_alias.cf";
  good.pool = pool.name;
  good.plan = PlanKind::kPrepared;
  good.may_write = false;
  good.lookups = 701;
  good.found = 702;
  good.not_found = 703;
  good.retry = 704;
  good.config = 705;
  good.last_failure = {"db1.example.com: deadlock detected (SQLSTATE 40P01)", milliseconds(7'060)};
  good.coalesced = 706;
  good.suppressed = 707;
  good.cache = {708, 709, 710, 711'000, 712, 713};
  good.latency.Record(milliseconds(3));
  good.recent[0] = {milliseconds(60'000), 12.34, 3.5, microseconds(2900), microseconds(3000)};
  good.recent[2] = {milliseconds(900'000), 11, 0.5, microseconds(2800), microseconds(9000)};
  TableStatus broken;
  broken.name = "pgsql:/etc/postfix/a/very/long/way/down/to/where/the/tables/are/broken_\"one\".cf";
  broken.state = TableState::kBroken;
  broken.reason = "/etc/postfix/broken.cf:7: no `=' in the line";
  status.tables = {good, broken};
  return status;
}

}  // namespace proxymux::proxy
