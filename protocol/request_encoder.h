// The client's side of requests: for load generators and tests, in either dialect.
#pragma once

#include <string>

#include "protocol/request.h"

namespace proxymux::protocol {

// Appends the request as one list. In the legacy dialect `instance_flags` is not sent, except as
// the flags of an open; extra_attributes is ignored.
void AppendRequest(const Request& request, std::string* out);

}  // namespace proxymux::protocol
