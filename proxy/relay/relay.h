// The way of everything that is not pgsql: requests for other table types are answered by the stock
// proxymap.
//
// The router hands over the client's request as it came, one complete attribute list, and gets the
// stock server's reply list back, byte for byte. How the stock server is reached is the
// implementation's business (UvRelay): through the socket of a stock service that master(8) runs,
// or through stock daemons that we start ourselves when we stand in its place.
//
// A stock process serves one request at a time, so it is given only one; others go to other
// processes, up to a limit, and wait in a bounded queue beyond it.
//
// `sequence` (first, next) keeps its position inside the stock process. A client session that uses
// it takes a SequenceLease, once, and passes it with each of its sequence requests: they then reach
// the same stock connection. A lease holds no stock connection until the first `first`, and gives
// it up after a few idle seconds or when it is destroyed.
//
// One thread, the loop's. Done runs exactly once for a request, never from inside Submit(), and not
// at all once the ticket has been destroyed. Tickets and leases may outlive the relay; they then do
// nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "protocol/dialect.h"
#include "protocol/reply.h"
#include "protocol/request.h"

namespace proxymux::proxy {

enum class RelayOutcome {
  kReplied,  // `reply` is the stock server's list, complete
  kFailed,   // no reply to be had: answer RETRY in the request's shape, log `reason`
};

struct RelayReply {
  RelayOutcome outcome = RelayOutcome::kFailed;
  std::string reply;
  std::string reason;  // plain text for a log line
  // What `reply` says; none when it has not the form that the request's `kind` and `dialect` want.
  std::optional<protocol::Status> status;
  std::uint32_t flags = 0;  // with `status`; 0 where the form has none
};

enum class SequenceStep {
  kNone,   // not a sequence request
  kFirst,  // any stock process will do; the lease is bound to it
  kNext,   // only the one that the lease is bound to; without it the position is lost and the
           // request fails
};

struct RelayRequest {
  std::string list;   // the request as read from the client, closing NUL included
  std::string table;  // TYPE:NAME; tables share the stock processes fairly
  SequenceStep step = SequenceStep::kNone;
  // Which form the reply has to have: its status is read where it arrives, and nowhere else.
  protocol::RequestKind kind = protocol::RequestKind::kUnknown;
  protocol::Dialect dialect = protocol::Dialect::kLegacy;
};

// Destroying it gives the request up (the client went away): Done does not run. The stock server
// finishes it all the same, and its reply is thrown away before the connection is used again.
class RelayTicket {
 public:
  virtual ~RelayTicket() = default;
};

class SequenceLease {
 public:
  virtual ~SequenceLease() = default;
};

struct RelayStatus {
  std::int64_t processes = 0;  // stock daemons running (in service mode: connections)
  std::int64_t busy = 0;       // of these, working on a request
  std::int64_t queued = 0;     // requests that wait for one of these
  std::int64_t leases = 0;     // bound to client sessions that use `sequence`
  std::uint64_t requests = 0;  // taken by Submit() since the start
  std::uint64_t replies = 0;   // answered
  std::uint64_t failures = 0;  // ended as kFailed
  std::uint64_t starts = 0;    // stock daemons started (in service mode: connections made)
  std::uint64_t restarts = 0;  // of these, in place of one that ended without being told to
  std::uint64_t kills = 0;     // stock daemons that had to be ended by a signal
};

// What happens outside of requests, for the log. Called on the loop's thread; must not call back
// into the relay.
enum class RelaySeverity { kDebug, kInfo, kWarning, kError };

class RelayObserver {
 public:
  virtual ~RelayObserver() = default;
  virtual void OnRelayEvent(RelaySeverity severity, const std::string& text) = 0;
};

class Relay {
 public:
  using Done = std::function<void(RelayReply)>;

  virtual ~Relay() = default;

  virtual std::unique_ptr<SequenceLease> NewLease() = 0;

  // `lease` may be null for a request that is no sequence; a sequence request without one gets a
  // lease for itself alone.
  virtual std::unique_ptr<RelayTicket> Submit(RelayRequest request, SequenceLease* lease,
                                              Done done) = 0;

  virtual RelayStatus Status() const = 0;

  // Keeps answering, but keeps nothing idle from here on: each stock process ends as soon as it has
  // nothing to do.
  virtual void Drain() = 0;

  // Fails what is still outstanding, ends every stock process (busy ones by a signal) and calls
  // `stopped` when the last one is gone, which is bounded by RelayOptions. Requests submitted from
  // here on fail.
  virtual void Stop(std::function<void()> stopped) = 0;
};

}  // namespace proxymux::proxy
