#include "proxy/clients/uv_clients.h"

#include <utility>

namespace proxymux::proxy {
namespace {

// How long a drain waits for the rest of a request that has begun to arrive. Clients send a request
// in one write, so what takes longer is stuck, and master serves nobody while we wait.
constexpr auto kHalfRequestGrace = std::chrono::milliseconds(200);

}  // namespace

UvClients::UvClients(UvEventLoop* loop, RequestRouter* router, MessageLog* log, Limits limits,
                     std::function<void()> on_served)
    : loop_(loop), router_(router), log_(log), limits_(limits), on_served_(std::move(on_served)) {}

UvClients::~UvClients() {
  on_drained_ = nullptr;
  EndAll();
}

std::string UvClients::Listen(int fd) {
  UvListener::Callbacks callbacks;
  callbacks.on_accept = [this](int client) { OnAccept(client); };
  callbacks.on_drained = on_served_;
  callbacks.on_pause = [this](const std::string& reason) {
    log_->LimitedWarning("accepting paused", reason + "; they wait");
  };
  listeners_.push_back(std::make_unique<UvListener>(loop_->uv(), fd, std::move(callbacks)));
  return listeners_.back()->Start();
}

void UvClients::SetLimits(Limits limits) {
  limits_ = limits;
  CheckLimit();
}

void UvClients::OnAccept(int fd) {
  ++accepted_;
  auto session = std::make_unique<UvClientSession>(
      loop_->uv(), fd, UvClientSession::Limits{limits_.max_request, limits_.greeting}, router_,
      log_, &traffic_, [this](UvClientSession* ended) { OnSessionEnd(ended); });
  UvClientSession* started = session.get();
  sessions_.emplace(started, std::move(session));
  CheckLimit();
  started->Start();
}

void UvClients::CheckLimit() {
  const bool full = sessions_.size() >= limits_.clients;
  if (full == paused_) return;
  paused_ = full;
  if (full) {
    log_->LimitedWarning("max_clients", "as many clients as max_clients allows (" +
                                            std::to_string(limits_.clients) +
                                            ") are connected; more wait until one leaves");
  }
  for (const auto& listener : listeners_) full ? listener->Pause() : listener->Resume();
}

void UvClients::OnSessionEnd(UvClientSession* session) {
  // The session may be on the stack: it is destroyed when this turn of the loop is over.
  const auto found = sessions_.find(session);
  ended_.push_back(std::move(found->second));
  sessions_.erase(found);
  CheckLimit();
  if (ended_.size() == 1) {
    loop_->AtEndOfTurn([this, alive = std::weak_ptr<void>(alive_)] {
      if (!alive.expired()) CheckDrained();
    });
  }
}

void UvClients::Drain(std::function<void()> on_done) {
  listeners_.clear();
  on_drained_ = std::move(on_done);
  for (UvClientSession* session : Sessions()) session->Drain();
  half_requests_ = UvTimer(loop_->uv(), [this] {
    for (UvClientSession* session : Sessions()) session->GiveUpHalfRequest();
  });
  half_requests_.Start(kHalfRequestGrace);
  loop_->AtEndOfTurn([this, alive = std::weak_ptr<void>(alive_)] {
    if (!alive.expired()) CheckDrained();
  });
}

void UvClients::EndAll() {
  listeners_.clear();
  for (UvClientSession* session : Sessions()) session->End();
}

// A copy, since sessions leave while they are told.
std::vector<UvClientSession*> UvClients::Sessions() const {
  std::vector<UvClientSession*> sessions;
  for (const auto& [session, owned] : sessions_) sessions.push_back(session);
  return sessions;
}

void UvClients::CheckDrained() {
  ended_.clear();
  if (sessions_.empty() && on_drained_) std::exchange(on_drained_, nullptr)();
}

}  // namespace proxymux::proxy
