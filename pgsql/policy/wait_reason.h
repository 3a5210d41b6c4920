// What a lookup that was not sent in time has waited for, in words for the log. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "pgsql/policy/pool_view.h"

namespace proxymux::pgsql {

// `limit`: of connections. `last_failure`: of the latest one that could not be made or was lost.
std::string WaitReason(const PoolView& view, std::size_t limit, std::string_view last_failure);

}  // namespace proxymux::pgsql
