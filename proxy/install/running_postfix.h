// What runs of an instance of Postfix: whether master(8) does, whether a service answers, and the
// reload. Blocking. Root only.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "protocol/dialect.h"

namespace proxymux::proxy {

// All as main.cf has it.
struct PostfixPlaces {
  std::string config_directory;
  std::string command_directory;
  std::string queue_directory;
  std::string program;  // ours, as master.cf names it
  std::string table;    // an approved one, which a service is asked to open
  protocol::Dialect dialect = protocol::Dialect::kLegacy;
};

class RunningPostfix {
 public:
  explicit RunningPostfix(PostfixPlaces places) : places_(std::move(places)) {}

  bool Runs() const;  // also when nobody can tell

  // The service answers as a daemon of Postfix asks it; where it is `ours`, with a process of ours,
  // and not with one of stock's that has not ended yet.
  bool Serves(const std::string& service, bool ours) const;
  // The same, waited for after a reload. True when Postfix does not run.
  bool ServesSoon(const std::string& service, bool ours) const;
  // No other services run this program than `known`, and that one serves. Looked at for a while:
  // processes of before a reload may be about to end.
  bool RunsOnly(const std::set<std::string>& known, const std::string& service, bool ours) const;

  // `postfix reload`, if it runs. Nothing: it went well.
  std::optional<std::string> Reload() const;

 private:
  std::set<std::string> OurServices() const;

  const PostfixPlaces places_;
};

}  // namespace proxymux::proxy
