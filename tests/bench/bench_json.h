// What `proxymux bench --json` prints, as a Sample. Pure.
#pragma once

#include <string>

#include "tests/bench/sample.h"

namespace proxymux::bench {

// The processes must be named `service`, if the service's own is to be told apart. Throws
// std::runtime_error when the text is not of that form.
Sample SampleOf(const std::string& json);

}  // namespace proxymux::bench
