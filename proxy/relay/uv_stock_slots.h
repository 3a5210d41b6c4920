// What stands in the slots of a relay: for each a StockListener, at most one UvStockProcess that
// listens there, and at most one UvRelayConnection to it (kSpawn), or a connection to a stock
// service's socket (kService). Carries out the actions on slots; when, and on which, is
// StockScheduler's.
//
// What happens is told through Events, never from inside a call: what goes wrong at once is a
// setback, to be told with TellSetbacks() when all that was to be done is done. Objects that report
// something are let go of only with Bury(), in a later turn, since the report comes from inside
// them. Starts, ends and signals are told to the observer.
#pragma once

#include <uv.h>

#include <csignal>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/reply.h"
#include "proxy/relay/relay.h"
#include "proxy/relay/stock_command.h"
#include "proxy/relay/stock_listener.h"
#include "proxy/relay/stock_policy.h"
#include "proxy/relay/uv_relay_connection.h"
#include "proxy/relay/uv_stock_process.h"

namespace proxymux::proxy {

// What a relay is made with, and again at a reload.
struct RelayOptions {
  StockPolicy policy;
  std::string service_socket = "private/proxymap";  // kService: relative to the working directory
  StockLaunch launch;                               // kSpawn
  bool expects_greeting = true;                     // false: stock is older than Postfix 3.6
  std::size_t max_reply = std::size_t{64} << 20;    // bytes; a longer reply is a failure
};

class UvStockSlots {
 public:
  struct Events {
    std::function<void(std::size_t slot)> on_greeting;
    std::function<void(std::size_t slot, std::string reply,
                       std::optional<protocol::ReplyHead> head)>
        on_reply;
    std::function<void(std::size_t slot, bool reply_begun, const std::string& reason)> on_closed;
    std::function<void(std::size_t slot, const std::string& reason)> on_spawn_failed;
    std::function<void(std::size_t slot, const std::string& how)> on_process_ended;
  };

  // All pointers must outlive it; `options` may change between calls.
  UvStockSlots(uv_loop_t* loop, const RelayOptions* options, RelayObserver* observer,
               Events events);
  UvStockSlots(const UvStockSlots&) = delete;
  UvStockSlots& operator=(const UvStockSlots&) = delete;

  void Spawn(std::size_t slot);
  void Connect(std::size_t slot);
  void Disconnect(std::size_t slot);
  void Send(std::size_t slot, const RelayRequest& request);
  void AskToEnd(std::size_t slot);
  void Terminate(std::size_t slot) { Signal(slot, SIGTERM, "SIGTERM"); }
  void Kill(std::size_t slot) { Signal(slot, SIGKILL, "SIGKILL"); }
  void Release(std::size_t slot) { slots_[slot].listener.Close(); }

  // False: there were none.
  bool TellSetbacks();
  // Whether Bury() has something to do.
  bool has_remains() const { return !remains_.empty(); }
  void Bury() { remains_.clear(); }
  // Ends everything at once; nothing more is told.
  void Clear();

 private:
  struct Slot {
    StockListener listener;
    std::unique_ptr<UvStockProcess> process;
    std::unique_ptr<UvRelayConnection> connection;
  };
  struct Remains {
    std::unique_ptr<UvStockProcess> process;
    std::unique_ptr<UvRelayConnection> connection;
  };

  bool Spawns() const { return options_->policy.mode == StockMode::kSpawn; }
  int OpenConnection(std::size_t slot);  // 0 or an error
  void OnClosed(std::size_t slot, bool reply_begun, const std::string& reason);
  void OnProcessEnded(std::size_t slot, const std::string& how);
  void Signal(std::size_t slot, int number, const std::string& name);
  void Keep(Remains remains);
  void Tell(RelaySeverity severity, const std::string& text);

  uv_loop_t* const loop_;
  const RelayOptions* const options_;
  RelayObserver* const observer_;
  const Events events_;
  std::map<std::size_t, Slot> slots_;
  std::vector<Remains> remains_;
  std::vector<std::function<void()>> setbacks_;
};

}  // namespace proxymux::proxy
