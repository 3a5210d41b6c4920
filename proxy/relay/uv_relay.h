// The relay on libuv: carries out what StockScheduler decides, with real processes and connections.
//
// What stands in the slots is UvStockSlots'; this keeps the bytes of the requests, the timer, and
// whom to tell. Create it after privileges have been dropped: stock daemons run as whoever we are.
//
// SIGPIPE must be ignored in the whole process: libuv writes to sockets whose other end may just
// have gone. (Stock daemons get it back as the default.)
//
// After Stop() has called back, nothing of it is left but handles that libuv frees in its next
// turn. Destroyed earlier it kills its stock daemons; not to be destroyed from inside a Done.
// Errors and ends are told to the observer; a request's own failure only to its Done.
#pragma once

#include <uv.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "proxy/relay/relay.h"
#include "proxy/relay/uv_stock_slots.h"

namespace proxymux::proxy {

class UvRelay : public Relay {
 public:
  // `observer` must outlive the relay.
  UvRelay(uv_loop_t* loop, RelayOptions options, RelayObserver* observer);
  ~UvRelay() override;

  std::unique_ptr<SequenceLease> NewLease() override;
  std::unique_ptr<RelayTicket> Submit(RelayRequest request, SequenceLease* lease,
                                      Done done) override;
  RelayStatus Status() const override;
  void Drain() override;
  void Stop(std::function<void()> stopped) override;

  // After a reload: stock daemons and connections of the old options are replaced as they become
  // free. The mode stays.
  void Reconfigure(RelayOptions options);

 private:
  class Core;
  class Ticket;
  class Lease;
  std::shared_ptr<Core> core_;
};

}  // namespace proxymux::proxy
