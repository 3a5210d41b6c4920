// The installed postconf(1) on a configuration directory of the test's own.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "config/postfix/postconf.h"
#include "config/values/diagnostic.h"
#include "tests/config/values/messages.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::config {

class PostconfFixture : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "postconf_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    request_.command = "/usr/sbin/postconf";
    request_.config_directory = directory_;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void Write(const std::string& name, const std::string& text) {
    harness::WriteOldFile(directory_ + "/" + name, text);
  }

  PostconfResult Read(std::vector<std::string> names, std::vector<std::string> overrides = {}) {
    request_.names = std::move(names);
    request_.overrides = std::move(overrides);
    return ReadParameters(request_);
  }

  std::string directory_;
  PostconfRequest request_;
};

inline constexpr char kMainCf[] =
    "compatibility_level = 3.6\nmyhostname = mail.example.com\nmydomain = example.com\n"
    "mail_dbs = proxy:pgsql:/nonexistent/a.cf\nvirtual_alias_maps = $mail_dbs\n";

}  // namespace proxymux::config
