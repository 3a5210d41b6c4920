#include "proxy/daemon/drain.h"

#include <fmt/format.h>

#include <memory>

namespace proxymux::proxy {

void Drain::Begin(const std::string& why) {
  if (state_ != State::kServing) return;
  SetState(State::kDraining);
  logger_->Debug("draining: " + why);
  settings_->socket_name().Remove();
  parts_->relay->Drain();
  parts_->domain_tables->Drain();
  timer_ = UvTimer(parts_->loop.uv(), [this] { GiveUpWaiting(); });
  timer_.Start(settings_->server().drain_timeout);
  parts_->clients->Drain([this] { Stop(); });
}

void Drain::GiveUpWaiting() {
  if (state_ != State::kDraining) return;
  logger_->Warning(fmt::format("drain_timeout: {} lookups still under way are answered RETRY",
                               parts_->coalescer.flights() + parts_->domain_tables->waiting()));
  parts_->coalescer.AnswerAll({pgsql::Outcome::kRetry, {}, "the service is ending"});
  Stop();
}

void Drain::Stop() {
  if (state_ == State::kStopped) return;
  SetState(State::kStopped);
  // Both fail what is still with them.
  const auto left = std::make_shared<int>(2);
  const auto stopped = [this, left] {
    if (--*left == 0) parts_->loop.Stop();
  };
  parts_->relay->Stop(stopped);
  parts_->domain_tables->Stop(stopped);
}

}  // namespace proxymux::proxy
