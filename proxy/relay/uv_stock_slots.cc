#include "proxy/relay/uv_stock_slots.h"

#include <utility>

namespace proxymux::proxy {

UvStockSlots::UvStockSlots(uv_loop_t* loop, const RelayOptions* options, RelayObserver* observer,
                           Events events)
    : loop_(loop), options_(options), observer_(observer), events_(std::move(events)) {}

void UvStockSlots::Spawn(std::size_t index) {
  Slot& slot = slots_[index];
  std::string error;
  if (!slot.listener.is_open()) {
    const std::string& directory = options_->launch.socket_directory;
    if (const int result = slot.listener.Open(directory); result != 0) {
      error = "cannot make a listening socket in " + directory + ": " + uv_strerror(result);
    }
  }
  if (error.empty()) {
    auto process = std::make_unique<UvStockProcess>(
        loop_, [this, index](const std::string& how) { OnProcessEnded(index, how); });
    if (process->Start(options_->launch, slot.listener.fd(), &error) == 0) {
      Tell(RelaySeverity::kDebug,
           "started the stock proxymap, process " + std::to_string(process->pid()));
      Keep({std::exchange(slot.process, std::move(process)), nullptr});
      return;
    }
  }
  Tell(RelaySeverity::kWarning, "stock proxymap: " + error);
  setbacks_.push_back([this, index, error] { events_.on_spawn_failed(index, error); });
}

void UvStockSlots::Connect(std::size_t index) {
  // A setback of the spawn has it already.
  if (Spawns() && !slots_[index].listener.is_open()) return;
  const int result = OpenConnection(index);
  if (result == 0) return;
  const std::string reason =
      "cannot connect to " +
      (Spawns() ? "the stock proxymap that was started" : options_->service_socket) + ": " +
      uv_strerror(result);
  Tell(RelaySeverity::kWarning, reason);
  setbacks_.push_back([this, index, reason] { events_.on_closed(index, false, reason); });
}

int UvStockSlots::OpenConnection(std::size_t index) {
  Slot& slot = slots_[index];
  const int fd = Spawns() ? slot.listener.Connect() : ConnectToUnixSocket(options_->service_socket);
  if (fd < 0) return fd;
  auto connection = std::make_unique<UvRelayConnection>(
      loop_, options_->max_reply,
      UvRelayConnection::Callbacks{
          [this, index] { events_.on_greeting(index); },
          [this, index](std::string reply, std::optional<protocol::ReplyHead> head) {
            events_.on_reply(index, std::move(reply), head);
          },
          [this, index](bool begun, const std::string& reason) {
            OnClosed(index, begun, reason);
          }});
  const int result = connection->Open(fd, options_->expects_greeting);
  if (result == 0) slot.connection = std::move(connection);
  return result;
}

void UvStockSlots::Disconnect(std::size_t index) {
  Keep({nullptr, std::move(slots_[index].connection)});
}

void UvStockSlots::Send(std::size_t index, const RelayRequest& request) {
  slots_[index].connection->Send(request.list, request.kind, request.dialect);
}

void UvStockSlots::AskToEnd(std::size_t index) {
  if (slots_[index].process) slots_[index].process->AskToEnd();
}

void UvStockSlots::Signal(std::size_t index, int number, const std::string& name) {
  const auto& process = slots_[index].process;
  if (!process) return;
  Tell(RelaySeverity::kInfo,
       "sending " + name + " to the stock proxymap, process " + std::to_string(process->pid()));
  process->Signal(number);
}

void UvStockSlots::OnClosed(std::size_t index, bool reply_begun, const std::string& reason) {
  Disconnect(index);
  events_.on_closed(index, reply_begun, reason);
}

void UvStockSlots::OnProcessEnded(std::size_t index, const std::string& how) {
  // 0: max_use, max_idle, a table that changed; or we asked.
  const bool expected = how == "exit status 0";
  Tell(expected ? RelaySeverity::kDebug : RelaySeverity::kWarning,
       "a stock proxymap ended: " + how);
  Keep({std::move(slots_[index].process), nullptr});
  events_.on_process_ended(index, "it ended at once: " + how);
}

bool UvStockSlots::TellSetbacks() {
  if (setbacks_.empty()) return false;
  for (const auto& setback : std::exchange(setbacks_, {})) setback();
  return true;
}

void UvStockSlots::Clear() {
  slots_.clear();
  remains_.clear();
}

void UvStockSlots::Keep(Remains remains) {
  if (remains.process || remains.connection) remains_.push_back(std::move(remains));
}

void UvStockSlots::Tell(RelaySeverity severity, const std::string& text) {
  observer_->OnRelayEvent(severity, text);
}

}  // namespace proxymux::proxy
