// One answer to a lookup, from whichever side, in a form in which they can be held against each
// other.
#pragma once

#include <string>

#include "protocol/reply.h"
#include "tests/differential/stock_oracle.h"
#include "tests/harness/proxymap_client.h"

namespace proxymux::differential {

// An error of postmap's is kRetry; `messages` is what it said.
struct Answered {
  protocol::Status status = protocol::Status::kNoKey;
  std::string value;
  bool broken = false;  // stock's program ended because of the table
  std::string messages;

  bool Is(protocol::Status other) const { return status == other; }
  bool IsError() const { return Is(protocol::Status::kRetry) || Is(protocol::Status::kConfig); }
};

Answered FromDirect(const DirectVerdict& verdict);
// Throws std::runtime_error, naming `who`, when it is no reply: that equals nothing.
Answered FromWire(const harness::Answer& answer, const std::string& who, const std::string& table);

// What a client with UTF-8 rules makes of a reply in the older dialect: it checks the value itself.
Answered AsClientSees(Answered reply, bool smtputf8);

// Status and value; unless `ordered`, values as sets of elements.
bool Equal(const Answered& a, const Answered& b, bool ordered);

// For people.
std::string Escaped(const std::string& text);
std::string Describe(const Answered& answer);

}  // namespace proxymux::differential
