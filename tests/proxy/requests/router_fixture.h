// A client of a RequestRouter without a socket, and the fixture of the router's tests.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/requests/conversation.h"
#include "proxy/requests/request_router.h"
#include "tests/fakes/virtual_event_loop.h"
#include "tests/proxy/requests/router_world.h"

namespace proxymux::proxy {

inline constexpr char kTable[] = "pgsql:/a.cf";
inline constexpr char kQuery[] = "query = SELECT a FROM t WHERE b = '%s'\n";

class Client final : public ReplySink {
 public:
  explicit Client(RequestRouter* router) : conversation_(router, this) {}

  // One complete list. What the reply was, "(later)", or "(none)".
  std::string Send(const std::vector<std::pair<std::string, std::string>>& attributes) {
    return SendBytes(List(attributes));
  }
  std::string SendBytes(const std::string& bytes) {
    protocol::AttributeDecoder decoder(1 << 20);
    protocol::AttributeList list;
    std::size_t size = 0;
    EXPECT_EQ(decoder.Decode(bytes, &list, &size), protocol::AttributeDecoder::Result::kList);
    std::string out;
    const Handled handled = conversation_.Handle(bytes, list, &out);
    EXPECT_EQ(handled == Handled::kPending, conversation_.pending());
    EXPECT_EQ(handled == Handled::kReplied, !out.empty());
    switch (handled) {
      case Handled::kReplied:
        return Shown(out);
      case Handled::kPending:
        return "(later)";
      case Handled::kIgnored:
        return "(none)";
    }
    return {};
  }
  std::string Legacy(const std::string& key, std::uint32_t flags = 0,
                     const std::string& table = kTable) {
    return Send(
        {{"request", "lookup"}, {"table", table}, {"flags", std::to_string(flags)}, {"key", key}});
  }
  std::string Current(const std::string& key, std::uint32_t instance_flags, std::uint32_t flags,
                      const std::string& table = kTable) {
    return Send({{"request", "lookup"},
                 {"table", table},
                 {"instance_flags", std::to_string(instance_flags)},
                 {"flags", std::to_string(flags)},
                 {"key", key}});
  }
  void OnReply(std::string_view reply) override {
    EXPECT_FALSE(conversation_.pending());
    late += (late.empty() ? "" : "\n") + Shown(reply);
    if (then) std::exchange(then, nullptr)();
  }
  std::string TakeLate() { return std::exchange(late, {}); }
  Conversation& conversation() { return conversation_; }

  std::string late;
  std::function<void()> then;

 private:
  Conversation conversation_;
};

class RouterFixture : public ::testing::Test {
 protected:
  void Make(bool smtputf8_enable) {
    client_.reset();
    world_.reset();
    world_.emplace(
        &loop_,
        std::set<std::string, std::less<>>{kTable, "pgsql:/broken.cf", "unix:passwd.byname"},
        smtputf8_enable);
    world_->Add(kTable, kQuery);
    world_->AddBroken("pgsql:/broken.cf", "/broken.cf:2: error: no equals sign");
    client_.emplace(&world_->router);
  }
  RouterFixture() { Make(true); }
  ~RouterFixture() override {
    client_->conversation().Cancel();
    loop_.EndTurn();
  }
  void Settle() {
    loop_.EndTurn();
    world_->factory.Settle();
    loop_.EndTurn();
  }
  // The SQL that the server was asked last.
  std::string Asked() {
    Settle();
    const auto* sent = world_->connection().oldest();
    return sent == nullptr ? "(nothing)" : sent->sql;
  }
  std::string Answered(const std::string& value) {
    Settle();
    world_->connection().Answer(value);
    return client_->TakeLate();
  }
  static std::string Sql(const std::string& key) {
    return "SELECT a FROM t WHERE b = '" + key + "'";
  }
  const TableCounters& counters() { return world_->registry.Find(kTable)->counters; }

  fakes::VirtualEventLoop loop_;
  std::optional<RouterWorld> world_;
  std::optional<Client> client_;
};

}  // namespace proxymux::proxy
