// What happens to one of two mirrors is not seen by the clients.
#include <gtest/gtest.h>

#include <string>

#include "tests/drills/drill.h"
#include "tests/integration/mail_world.h"

namespace proxymux::drills {
namespace {

using harness::LoadReport;
using harness::seconds;
using harness::Service;
using integration::MailWorld;

class MirrorDrill : public testing::Test {
 protected:
  Drill Make(const std::string& name, int clients) {
    DrillOptions options;
    options.name = name;
    options.clients = clients;
    options.postfix = world_.Options(Service::kInPlace);
    return Drill(
        options, [this] { return world_.NewDirectory(); }, [this] { world_.Mend(); });
  }

  MailWorld& world_ = MailWorld::Instance();
};

TEST_F(MirrorDrill, OneFreezes) {
  Drill drill = Make("one of two mirrors frozen for 6 s", 50);
  const LoadReport report = drill.Run([this](Drill::Scene& scene) {
    world_.first().Freeze();
    scene.LetRun(seconds(6));
    world_.first().Thaw();
    scene.load.WaitForAnswers(5000);
  });
  EXPECT_EQ(report.Failed(), 0U) << report.Text() << drill.log();
  EXPECT_LT(report.max_ms, 1500) << report.Text() << drill.log();
}

}  // namespace
}  // namespace proxymux::drills
