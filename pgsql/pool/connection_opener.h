// How many connections there are, and to which hosts: opens what the work there is could use, makes
// room for what is wanted more, and lets go of what is not wanted any more. What is to be done is
// said by ConnectionBudget and HostSet.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "pgsql/policy/connection_renewal.h"
#include "pgsql/pool/connection_set.h"
#include "pgsql/pool/open_work.h"
#include "pgsql/pool/pool_context.h"
#include "pgsql/work/held_up.h"

namespace proxymux::pgsql {

class ConnectionOpener {
 public:
  ConnectionOpener(PoolContext* pool, OpenWork* work, ConnectionSet* connections)
      : pool_(pool), work_(work), connections_(connections) {}

  // A turn begins. Drains what is beyond the limit, closes attempts that are hopeless, and says how
  // much each connection takes.
  void Begin();
  // One connection after the other moves to where it is wanted more; each ends as it runs empty.
  // After the sending, so that one which was opened for a single lookup has got it.
  void Rebalance(const HeldUp& held_up);
  // The connections to that host are replaced, one in a turn at most (ConnectionRenewal). How many
  // that are.
  std::size_t BeginRenewal(std::size_t host) { return renewal_.Begin(connections_->View(), host); }
  // That host may be used again, and others have all connections that there may be.
  void Welcome(std::size_t host) { newcomers_.push_back(host); }
  // Does what these two asked for.
  void MakeWay();
  // What waits gets the connections that it may have. `session_wanted`: see Dispatcher.
  void Open(const HeldUp& held_up, std::optional<std::size_t> session_wanted);
  // Those that were idle for long, and that are more than there may be.
  void CloseIdle();

 private:
  std::size_t Wanted() const;
  void CloseHopeless();
  std::size_t CountOverdue();
  void OpenToUnseen(std::size_t* open);
  void OpenBesideHanging(std::size_t* open);
  void OpenBesideSilent(std::size_t* open);
  void PutOtherInPlaceOfOneBehind(std::size_t open);
  bool MakeRoom();
  bool DropSilent(std::optional<std::size_t> host);
  bool CloseUntested(std::size_t host);
  void RenewOne();
  void MakeRoomForNewcomer();
  void MakeSessionRoom(std::size_t host, std::size_t* open);

  PoolContext* const pool_;
  OpenWork* const work_;
  ConnectionSet* const connections_;
  ConnectionRenewal renewal_;
  std::deque<std::size_t> newcomers_;
  std::size_t overdue_ = 0;  // attempts to connect that take long, of this turn
};

}  // namespace proxymux::pgsql
