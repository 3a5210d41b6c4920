// Two /status.json documents of one service, as one whose rates are those of the time between them.
#pragma once

#include <string>
#include <string_view>

namespace proxymux::proxy {

// The later document, with these in the place of the rates of the last minute. As it is when the
// two are not of one process.
std::string RatesSince(std::string_view earlier, std::string_view later);

}  // namespace proxymux::proxy
