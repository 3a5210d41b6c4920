// The metrics of pools, of their outages and of their hosts.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "proxy/status/status.h"

namespace proxymux::proxy {

// At the end of `families`, also without pools.
void AddPoolMetrics(const std::vector<PoolStatus>& pools,
                    std::vector<prometheus::MetricFamily>* families);

}  // namespace proxymux::proxy
