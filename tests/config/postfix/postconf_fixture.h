// The installed postconf(1) on a configuration directory of the test's own.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "config/postfix/postconf.h"
#include "config/values/diagnostic.h"

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
    std::ofstream(directory_ + "/" + name) << text;
    // postconf waits until main.cf is two seconds old.
    namespace fs = std::filesystem;
    fs::last_write_time(directory_ + "/" + name,
                        fs::file_time_type::clock::now() - std::chrono::hours(1));
  }

  PostconfResult Read(std::vector<std::string> names, std::vector<std::string> overrides = {}) {
    request_.names = std::move(names);
    request_.overrides = std::move(overrides);
    return ReadParameters(request_);
  }

  static std::string Messages(const std::vector<Diagnostic>& diagnostics) {
    std::string out;
    for (const Diagnostic& diagnostic : diagnostics) out += diagnostic.ToString() + "\n";
    return out;
  }

  std::string directory_;
  PostconfRequest request_;
};

inline constexpr char kMainCf[] =
    "compatibility_level = 3.6\nmyhostname = mail.example.com\nmydomain = example.com\n"
    "mail_dbs = proxy:pgsql:/nonexistent/a.cf\nvirtual_alias_maps = $mail_dbs\n";

}  // namespace proxymux::config
