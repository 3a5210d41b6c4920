// What the relay has to tell, as log lines.
#pragma once

#include <string>

#include "proxy/log/message_log.h"
#include "proxy/relay/relay.h"

namespace proxymux::proxy {

class RelayLog final : public RelayObserver {
 public:
  explicit RelayLog(MessageLog* log) : log_(log) {}

  void OnRelayEvent(RelaySeverity severity, const std::string& text) override {
    switch (severity) {
      case RelaySeverity::kDebug:
        log_->logger().Debug(text);
        return;
      case RelaySeverity::kInfo:
        log_->Limited(LogSeverity::kInfo, text, text);
        return;
      case RelaySeverity::kWarning:
        log_->LimitedWarning(text, text);
        return;
      case RelaySeverity::kError:
        log_->Limited(LogSeverity::kError, text, text);
        return;
    }
  }

 private:
  MessageLog* const log_;
};

}  // namespace proxymux::proxy
