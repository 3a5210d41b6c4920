// What tests share that ask tables of one server through proxymux in stock's place.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/harness/proxymap_client.h"
#include "tests/integration/mail_world.h"

namespace proxymux::integration {

class OneServerTest : public testing::Test {
 protected:
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
    files_.push_back({name, harness::TableText(world_.first().TcpHost(), query, more)});
  }
  // After Add(): the service with these tables and one client.
  void StartService(const std::string& yaml) {
    auto options = world_.Options(harness::Service::kInPlace);
    options.tables = files_;
    options.yaml = yaml;
    postfix_ = std::make_unique<harness::PostfixInstance>(world_.NewDirectory(), options);
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
  std::vector<harness::TableFile> files_;
  std::unique_ptr<harness::PostfixInstance> postfix_;
  std::unique_ptr<harness::ProxymapClient> client_;
};

}  // namespace proxymux::integration
