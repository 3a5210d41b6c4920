// The `type:table` members of domain lists, looked up by stock daemons of their own. Each such
// table has a relay that approves this table alone: Postfix opens the tables of domain lists
// itself, whether main.cf approves them or not.
//
// From Postfix 3.11 on a lookup has to carry the flags that the daemon opened the table with: some
// types take them for whether their keys end with a NUL byte, and find nothing, or end the daemon,
// without. So a table is opened there before it is asked.
//
// A relay is made at the first question and serves one table; its processes end when idle. It is
// let go when no domain list names its table any more (Sweep) and at a reload (ReplaceAll), as soon
// as nobody waits for it.
//
// A stock daemon that could not open its table fails every question until it ends. So after such an
// answer the next question gets a new relay, and with it a new daemon, once the old relay is a
// second old and its predecessor gone: a table that was mended is soon in use, and a table that
// stays broken costs a process every few seconds.
//
// Pure but for the relays, which come from the factory. Any status but OK and NOKEY is a failure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pgsql/runtime/event_loop.h"
#include "protocol/dialect.h"
#include "protocol/request.h"
#include "proxy/relay/domain_lookup.h"
#include "proxy/relay/relay.h"

namespace proxymux::proxy {

class DomainTables final : public DomainLookup {
 public:
  // A relay to stock daemons that approve `table` and nothing else, with today's options.
  using RelayFactory = std::function<std::unique_ptr<Relay>(const std::string& table)>;

  // `dialect` is that of the installed Postfix. The loop must outlive it; tickets may.
  DomainTables(protocol::Dialect dialect, RelayFactory make_relay, const pgsql::EventLoop* loop);
  ~DomainTables() override;
  DomainTables(const DomainTables&) = delete;
  DomainTables& operator=(const DomainTables&) = delete;

  std::unique_ptr<RelayTicket> Ask(std::string_view member, std::string_view folded_domain,
                                   Done done) override;

  // Lets go of what no list names any more. Call about once a second, from no callback of ours.
  void Sweep(const std::set<std::string>& members);
  // Other options: from here on each table gets a new relay.
  void ReplaceAll();

  // As Relay::Drain and Relay::Stop. `stopped` may run from inside Stop() when nothing is there.
  void Drain();
  void Stop(std::function<void()> stopped);

  std::size_t waiting() const;  // questions without an answer yet
  std::size_t relays() const;   // also those that are ending
  bool empty() const { return relays() == 0; }

 private:
  class Ticket;

  // Of one relay, and of all of them; in this order.
  enum class Phase { kServing, kDraining, kStopping, kStopped };

  // One relay, from its making to its end.
  struct Service {
    std::string table;
    std::unique_ptr<Relay> relay;
    std::shared_ptr<std::size_t> waiting;  // shared with tickets, which may live longer
    std::optional<std::uint32_t> flags;    // that lookups carry; none: not known before an open
    pgsql::Time made;
    bool distrusted = false;  // its daemons did not get on with the table
    Phase phase = Phase::kServing;
  };

  Service* ServiceFor(const std::string& table);
  void FollowPhase(Service* service);
  bool MayReplace(const Service& service) const;
  void Retire(std::unique_ptr<Service> service);
  void StopService(Service* service);
  void OnStopped(Service* service);
  void TellWhenStopped();
  std::unique_ptr<RelayTicket> AskOpened(Service* service, std::string_view folded_domain,
                                         Done done);
  void OpenAndAsk(Service* service, Ticket* ticket, std::string folded_domain, Done done);
  std::unique_ptr<RelayTicket> Submit(Service* service, const protocol::Request& question,
                                      Relay::Done done);
  void Conclude(Service* service, const RelayReply& reply, const DomainAnswer& answer,
                const Done& done);
  static DomainAnswer Judge(const RelayReply& reply);
  // Why the table that was to be opened cannot be asked; nothing: it can.
  static std::optional<DomainAnswer> OpenFailure(const RelayReply& reply);

  const protocol::Dialect dialect_;
  const RelayFactory make_relay_;
  const pgsql::EventLoop* const loop_;
  std::map<std::string, std::unique_ptr<Service>> current_;  // by table
  std::vector<std::unique_ptr<Service>> retired_;
  Phase phase_ = Phase::kServing;
  std::function<void()> stopped_;
};

}  // namespace proxymux::proxy
