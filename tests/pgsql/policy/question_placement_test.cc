// Which connection takes a question of the pool's own: for the catalogue's stamp, how far the host
// is behind, or a proof that it serves.
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>

#include "pgsql/policy/placement.h"
#include "tests/pgsql/policy/policy_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class QuestionPlacementTest : public PolicyWorld {
 protected:
  Placement placement;
};

TEST_F(QuestionPlacementTest, AStampGoesWhereItIsAnsweredSoon) {
  const auto choose = [&](std::size_t host) {
    placement.Begin(View());
    return Placement::ChooseForStamp(View(), host);
  };
  EXPECT_EQ(choose(0), nullptr);
  PoolConnection& first = Open(0);
  PoolConnection& second = Open(0);
  PoolConnection& elsewhere = Open(1);
  EXPECT_EQ(choose(0), &first);
  EXPECT_EQ(choose(1), &elsewhere);
  Load(first, 1);
  EXPECT_EQ(choose(0), &second);
  Load(second, 2);
  EXPECT_EQ(choose(0), &first);
  first.OnStalled();
  EXPECT_EQ(choose(0), &second);
  first.OnAnswered(now);
  first.session.changed = true;
  EXPECT_EQ(choose(0), &second);
  first.session.changed = false;
  first.cancel.OnSent(now, 1);
  EXPECT_EQ(choose(0), &second);
  second.Drain();
  EXPECT_EQ(choose(0), nullptr);
}

TEST_F(QuestionPlacementTest, AStampDoesNotWaitBehindWhatIsSlow) {
  PoolConnection& connection = Open(0);
  const auto choose = [&] {
    placement.Begin(View());
    return Placement::ChooseForStamp(View(), 0);
  };
  Work* slow = Send(connection, Quick(), /*in_lane=*/true, milliseconds(1));
  EXPECT_EQ(choose(), nullptr);
  connection.OnBack(slow);
  Work* script = Send(connection, Quick(), false, milliseconds(1));
  script->wire.protocol = Protocol::kSimple;
  EXPECT_EQ(choose(), nullptr);
  script->wire.protocol = Protocol::kExtended;
  EXPECT_EQ(choose(), &connection);
  Upstream(connection).pooled = true;
  EXPECT_EQ(choose(), &connection);
  Upstream(connection).batch_open = true;
  EXPECT_EQ(choose(), nullptr);
  Upstream(connection).batch_open = false;
  Upstream(connection).all_answered = false;
  EXPECT_EQ(choose(), nullptr);
  Upstream(connection).pooled = false;
  OnTrial(0);
  EXPECT_EQ(choose(), nullptr);  // on trial, with one statement
}

TEST_F(QuestionPlacementTest, AHostProvesItselfOnceOnEachConnection) {
  const auto choose = [&] { return Placement::ChooseForProof(View(), 0); };
  PoolConnection& answered = Open(0);
  answered.answered = now;
  PoolConnection& fresh = Open(0);
  EXPECT_EQ(choose(), nullptr) << "nothing speaks against the host";
  hosts[0].trust.OnNotMade(now);
  EXPECT_EQ(choose(), nullptr) << "nobody waits for hosts";
  hosts.SetOutageWait(seconds(5));
  EXPECT_EQ(choose(), &fresh);
  EXPECT_EQ(Placement::ChooseForProof(View(), 1), nullptr);
  Load(fresh, 1);
  EXPECT_EQ(choose(), nullptr) << "it is asked";
  PoolConnection& next = Open(0);
  EXPECT_EQ(choose(), &next);
  next.Drain();
  EXPECT_EQ(choose(), nullptr);
}

TEST_F(QuestionPlacementTest, AStampThatIsOwedIsAskedNowhereTwice) {
  PoolConnection& first = Open(0);
  Work* stamp = Send(first, Quick(), false, milliseconds(1));
  stamp->kind = Work::Kind::kStamp;
  Load(first, 1);
  placement.Begin(View());
  EXPECT_EQ(Placement::ChooseForStamp(View(), 0), nullptr);
  EXPECT_EQ(Placement::ChooseForLag(View(), 0), &first);
  PoolConnection& second = Open(0);
  Load(second, 3);
  placement.Begin(View());
  EXPECT_EQ(Placement::ChooseForStamp(View(), 0), &second);
  first.OnBack(stamp);
  EXPECT_EQ(Placement::ChooseForStamp(View(), 0), &first);
}

TEST_F(QuestionPlacementTest, AStampPrefersWhoAnswers) {
  PoolConnection& quiet = Open(0);
  PoolConnection& busy = Open(0);
  Send(quiet, Quick(), false, milliseconds(100));
  quiet.last_result = now - milliseconds(100);
  Load(busy, 3);
  placement.Begin(View());
  EXPECT_EQ(Placement::ChooseForStamp(View(), 0), &busy);
}

}  // namespace
}  // namespace proxymux::pgsql
