// Makes one connection: resolves names through the event loop, tries every address of every
// endpoint in turn, each for a bounded time, and hands over the first that is ready for queries.
//
// A SYN that is lost is sent again by the kernel after 1, 3, 7, ... seconds (before Linux 6.5), too
// seldom to see a host's return within a second. So as long as nothing at all has come back, the
// host is dialled again every 750 ms, within the attempt's time. The first call is kept all the
// while, beside the latest one: the way to a host may take longer than 750 ms. The call that is
// answered first goes on, the other is dropped.
//
// Addresses that did not answer lately come last (silent_addresses.h): whoever gives up an attempt
// that hangs, and begins another one, gets to the next address.
//
// Of several endpoints with prefer-standby all are tried for a standby first, then for any server,
// as libpq does.
//
// libpq's blocking corners and how they are kept off the loop: it is given numeric addresses only;
// PQsocket() is read again after every PQconnectPoll(), which may have opened another socket
// (libpq, "PQconnectStartParams").
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "pgsql/connection/silent_addresses.h"
#include "pgsql/connection/upstream_connection.h"
#include "pgsql/libpq/pg_conninfo.h"
#include "pgsql/libpq/pg_handles.h"
#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

class PgConnector {
 public:
  // `connection` is null when every attempt failed; `failure` is then that of the last one. Called
  // once, from the loop; the connector may be destroyed in it. Destroyed before, it gives up
  // without a call.
  using Done = std::function<void(PgConnectionHandle connection, const ConnectionFault& failure)>;

  // `attempt_timeout` is for one address, and for resolving one name. `plan` and `silent` must
  // outlive the connector.
  PgConnector(const ConnectPlan& plan, Duration attempt_timeout, SilentAddresses* silent,
              EventLoop* loop, Done done);
  ~PgConnector();
  PgConnector(const PgConnector&) = delete;
  PgConnector& operator=(const PgConnector&) = delete;

 private:
  struct Attempt {
    Endpoint endpoint;
    std::string address;  // numeric; empty for a UNIX socket
  };
  struct Call {
    PgConnectionHandle connection;
    std::unique_ptr<SocketWatch> watch;
  };

  static std::string KeyOf(const Attempt& attempt);
  void NextEndpoint();
  bool WantsStandby() const;
  void NextAttempt();
  void StartAttempt();
  void Dial(Call* call);
  void Redial();
  void Watch(Call* call, PostgresPollingStatusType wants);
  void OnAnswer(Call* call);
  void Poll();
  void AttemptFailed(ConnectionFault failure);
  void Disconnect();
  static void HangUp(Call* call);

  const ConnectPlan& plan_;
  const Duration attempt_timeout_;
  SilentAddresses* const silent_;
  EventLoop* const loop_;
  Done done_;
  std::size_t next_endpoint_ = 0;
  bool any_will_do_ = false;  // the second round, with prefer-standby
  std::deque<Attempt> attempts_;
  std::deque<Attempt> late_;  // of addresses that were silent lately
  bool only_late_left_ = false;
  Attempt attempt_;  // the one under way
  Time begun_{};     // of that one
  ConnectionFault last_failure_;
  Call call_;        // the first; once the host has answered, the only one
  Call later_call_;  // the latest, as long as nothing has come back for the first
  std::unique_ptr<Timer> timer_;
  std::unique_ptr<Timer> redial_;  // until the host's kernel has answered
  std::unique_ptr<PendingCall> resolve_;
};

}  // namespace proxymux::pgsql
