// A client of its own that asks a service all the time, and remembers which server each of its
// lookups was answered by.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/harness/mail_schema.h"
#include "tests/harness/postfix_instance.h"
#include "tests/harness/proxymap_client.h"

namespace proxymux::drills {

class AnswerWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Seen {
    Time asked;
    int port = 0;  // of the server that answered; 0: the service had no answer of one
  };

  // The table that it asks, of these hosts.
  static harness::TableFile Table(const std::string& hosts);

  // Begins. The instance, which has that table, has to live as long.
  explicit AnswerWatch(const harness::PostfixInstance& postfix);
  ~AnswerWatch();
  AnswerWatch(const AnswerWatch&) = delete;
  AnswerWatch& operator=(const AnswerWatch&) = delete;

  // Ends when the lookup under way is answered: all, in order.
  const std::vector<Seen>& Finish();

 private:
  void Watch();

  const harness::PostfixInstance& postfix_;
  harness::ProxymapClient client_;  // the thread's
  std::atomic<bool> ends_ = false;
  std::vector<Seen> seen_;  // the thread's, until it has ended
  std::thread thread_;
};

}  // namespace proxymux::drills
