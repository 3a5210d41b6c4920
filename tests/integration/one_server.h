// What tests share that ask tables of one server through proxymux in stock's place.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/harness/proxymap_client.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {

inline constexpr const char* kEveryMode[] = {"auto", "legacy", "parameterized", "prepared"};

class OneServerTest : public testing::Test {
 protected:
  OneServerTest() { options_.tables.clear(); }
  ~OneServerTest() override {
    client_.reset();
    postfix_.reset();
  }

  // As the superuser, who owns all that is made; the first column of the last row.
  std::string Sql(const std::string& text) {
    return world_.first().Sql(harness::kMailDatabase, text);
  }
  // A table file of that name, asking as the role that may only do what it was granted.
  void Add(const std::string& name, const std::string& query, const std::string& more = "") {
    options_.tables.push_back({name, harness::TableText(world_.first().TcpHost(), query, more)});
  }
  // The same in that statement_mode.
  void AddInMode(const std::string& mode, const std::string& name, const std::string& query) {
    Add(name, query, "statement_mode = " + mode + "\n");
  }
  // After Add(): the service with these tables and one client.
  void StartService(const std::string& yaml) {
    options_.yaml = yaml;
    postfix_ = std::make_unique<harness::PostfixInstance>(world_.NewDirectory(), options_);
    postfix_->Start();
    client_ = std::make_unique<harness::ProxymapClient>(postfix_->SocketPath());
  }
  harness::Answer Look(const std::string& file, const std::string& key) {
    return client_->Lookup(postfix_->Table(file), key);
  }
  static bool IsError(const harness::Answer& answer) {
    return answer.Is(protocol::Status::kRetry) || answer.Is(protocol::Status::kConfig);
  }

  MailWorld& world_ = MailWorld::Instance();
  harness::PostfixInstance::Options options_ = world_.Options(harness::Service::kInPlace);
  std::unique_ptr<harness::PostfixInstance> postfix_;
  std::unique_ptr<harness::ProxymapClient> client_;
};

}  // namespace proxymux::integration
