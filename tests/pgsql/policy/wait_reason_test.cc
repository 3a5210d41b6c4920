#include "pgsql/policy/wait_reason.h"

#include <gtest/gtest.h>

#include "tests/pgsql/policy/policy_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;

constexpr char kLost[] = "a: connection refused";

class WaitReasonTest : public PolicyWorld {
 protected:
  std::string Reason() const { return WaitReason(View(), /*limit=*/4, kLost); }
};

TEST_F(WaitReasonTest, WhileEveryHostIsDownItIsWhyTheyAre) {
  for (std::size_t host = 0; host < hosts.size(); ++host) Down(host);
  EXPECT_EQ(Reason(), "it was not sent within queue_wait: a: connection refused");
}

TEST_F(WaitReasonTest, ThereWasNoConnection) {
  Open();
  EXPECT_EQ(Reason(),
            "it was not sent within queue_wait: no connection was ready; a: connection refused");
}

TEST_F(WaitReasonTest, ConnectionsThatAreNotOpenDoNotCount) {
  PoolConnection& closed = Open();
  Send(closed, Quick());
  closed.SetPhase(Phase::kClosed);
  EXPECT_EQ(Reason(),
            "it was not sent within queue_wait: no connection was ready; a: connection refused");
}

TEST_F(WaitReasonTest, TheyAreBusyAndWithWhat) {
  auto slow = Slow(std::chrono::seconds(1));
  slow->name = "pgsql:/etc/postfix/slow.cf";
  auto own = Own();
  own->name = "pgsql:/etc/postfix/own.cf";
  Open();  // idle
  Send(Open(), own, /*in_lane=*/false, milliseconds(120));
  Send(Open(0, Phase::kLane), slow, /*in_lane=*/true, milliseconds(4500));
  EXPECT_EQ(Reason(),
            "it was not sent within queue_wait: 2 of 4 connections are busy, 1 of them with slow "
            "statements; the longest statement, of pgsql:/etc/postfix/slow.cf, has been under way "
            "for 4500 ms");
  connections[1]->session.owner = own;
  EXPECT_EQ(Reason(),
            "it was not sent within queue_wait: 2 of 4 connections are busy, 1 of them with slow "
            "statements, 1 belong to tables that change sessions; the longest statement, of "
            "pgsql:/etc/postfix/slow.cf, has been under way for 4500 ms");
}

TEST_F(WaitReasonTest, ThatAConnectionIsIdleHidesNoOther) {
  auto quick = Quick();
  quick->name = "pgsql:/etc/postfix/quick.cf";
  Send(Open(), quick, /*in_lane=*/false, milliseconds(7));
  Open();  // idle
  EXPECT_NE(Reason().find("has been under way for 7 ms"), std::string::npos) << Reason();
}

TEST_F(WaitReasonTest, NothingIsSaidOfWhatIsNotSo) {
  auto quick = Quick();
  quick->name = "pgsql:/etc/postfix/quick.cf";
  Send(Open(), quick, /*in_lane=*/false, milliseconds(7));
  EXPECT_EQ(Reason(),
            "it was not sent within queue_wait: 1 of 4 connections are busy; the longest "
            "statement, of pgsql:/etc/postfix/quick.cf, has been under way for 7 ms");
}

}  // namespace
}  // namespace proxymux::pgsql
