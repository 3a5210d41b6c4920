// How the router asks about `type:table` members of a table's domain list: is this domain in that
// table? Behind it stands DomainTables, and a played one in tests.
//
// One thread, the loop's. Done runs exactly once for a question, never from inside Ask(), and not
// at all once the ticket has been destroyed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/relay/relay.h"

namespace proxymux::proxy {

struct DomainAnswer {
  enum class Kind { kFound, kNotFound, kFailed };

  Kind kind = Kind::kFailed;
  std::string reason;  // of kFailed: plain text for a log line
};

class DomainLookup {
 public:
  using Done = std::function<void(const DomainAnswer&)>;

  virtual ~DomainLookup() = default;

  // `member` as the domain list has it ("type:table", perhaps behind "proxy:").
  virtual std::unique_ptr<RelayTicket> Ask(std::string_view member, std::string_view folded_domain,
                                           Done done) = 0;
};

}  // namespace proxymux::proxy
