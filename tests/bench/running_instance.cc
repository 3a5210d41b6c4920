#include "tests/bench/running_instance.h"

#include <exception>
#include <iostream>
#include <stdexcept>

#include "tests/bench/session_watch.h"
#include "tests/harness/deadline.h"
#include "tests/harness/mail_schema.h"
#include "tests/harness/process.h"

namespace proxymux::bench {

using harness::Service;

RunningInstance::RunningInstance(harness::PostfixInstance* postfix, Service service,
                                 const std::string& server_pid, const std::string& file,
                                 const std::string& yaml)
    : service_(service), postfix_(*postfix) {
  // Sessions end a moment after their connections.
  if (!harness::Eventually([&] { return CountSessions(server_pid, harness::kMailRole) == 0; })) {
    throw std::runtime_error("database sessions of the run before are left behind");
  }
  if (service != Service::kStock) postfix_.WriteConfig("proxymux.yaml", yaml);
  postfix_.Start();
  const auto first = postfix_.Postmap("user1@example.com", postfix_.Table(file));
  if (first.out != "box1@store.example.net\n") {
    const std::string log = postfix_.Log();
    Stop();
    throw std::runtime_error("the first lookup failed: " + first.out + first.err + "\n" + log);
  }
}

void RunningInstance::Stop() {
  try {
    if (postfix_.Running()) postfix_.Stop();
  } catch (const std::exception& error) {
    std::cerr << "  " << error.what() << "\n";
    harness::EndProcessesIn(postfix_.queue_directory());
  }
}

}  // namespace proxymux::bench
