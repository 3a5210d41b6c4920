// A Postfix instance from its first lookup until it is stopped, which its destruction does.
#pragma once

#include <string>

#include "tests/harness/postfix_instance.h"

namespace proxymux::bench {

class RunningInstance {
 public:
  // Starts it, with `yaml` as proxymux.yaml where it has one, once the database server has no
  // session left of the run before, and asks one lookup of the table in `file`. Throws
  // std::runtime_error when any of this fails.
  RunningInstance(harness::PostfixInstance* postfix, harness::Service service,
                  const std::string& server_pid, const std::string& file, const std::string& yaml);
  ~RunningInstance() { Stop(); }
  RunningInstance(const RunningInstance&) = delete;
  RunningInstance& operator=(const RunningInstance&) = delete;

  harness::PostfixInstance& postfix() const { return postfix_; }
  bool is_stock() const { return service_ == harness::Service::kStock; }

 private:
  void Stop();

  harness::Service service_;
  harness::PostfixInstance& postfix_;
};

}  // namespace proxymux::bench
