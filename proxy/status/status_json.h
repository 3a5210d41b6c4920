// The document behind /status.json, which `proxymux ctl status` reads too. Fields are only ever
// added; times are in milliseconds or, where the name ends in _us, microseconds.
#pragma once

#include <string>

#include "proxy/status/status.h"

namespace proxymux::proxy {

std::string StatusJson(const ServiceStatus& status);

}  // namespace proxymux::proxy
