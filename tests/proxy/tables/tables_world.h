// Table files in a directory of the test's, and what a loader of them wants: a real loop, pools
// that nobody connects, and the log to be read.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/postfix/main_cf.h"
#include "pgsql/libpq/pg_pools.h"
#include "proxy/log/message_log.h"
#include "proxy/tables/pool_log.h"
#include "proxy/uv/uv_event_loop.h"
#include "tests/harness/temp_directory.h"
#include "tests/proxy/log/log_capture.h"

namespace proxymux::proxy {

inline constexpr char kGood[] =
    "hosts = db1\ndbname = mail\nquery = SELECT a FROM t WHERE b = '%s'\n";

class TablesWorld : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return directory_ / name; }

  harness::TempDirectory directory_;
  LogCapture lines_;
  UvEventLoop loop_;
  MessageLog log_{lines_.logger(), &loop_};
  PoolLog pool_log_{&log_};
  pgsql::PgPools pools_{&loop_, &pool_log_};
  std::vector<config::MainCfSetting> main_cf_;
};

}  // namespace proxymux::proxy
