// `proxymux ctl status`, `top` and `slow`: what a service says of itself, on a terminal.
//
// `top` fills the terminal and renews it; q ends it, n, l, f and p sort the tables by name, by
// lookups and failures a second, and by P99. It needs a terminal.
#pragma once

#include <chrono>

#include "proxy/cli/ctl_service.h"

namespace proxymux::proxy {

struct CtlViewOptions {
  CtlTarget target;
  bool json = false;
  bool wide = false;
  int interval = 0;  // seconds between two views; 0: one only
};

// The exit status. With an interval they go on until the service is gone, or somebody ends them.
int ShowStatus(const CtlViewOptions& options);
int ShowTop(const CtlViewOptions& options);
int ShowSlow(const CtlTarget& target);

}  // namespace proxymux::proxy
