// Names and who asks for them, on a real libuv loop: who asks for the same name shares a question,
// and who leaves is not told.
#include "proxy/uv/uv_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/proxy/uv/uv_names_fixture.h"

namespace proxymux::proxy {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using UvNamesTest = UvNamesFixture;

TEST_F(UvNamesTest, NumericAddressesAndTheHostsFileAreAnswered) {
  Asker four, six, local, none;
  Ask(&four, "192.0.2.7");
  Ask(&six, "2001:db8::7");
  Ask(&local, "localhost");
  Ask(&none, kNoName);
  EXPECT_EQ(Questions(), 4u);
  RunAll();
  for (const Asker* asker : {&four, &six, &local, &none}) ASSERT_EQ(asker->told.size(), 1u);
  EXPECT_THAT(four.told[0].addresses, ElementsAre("192.0.2.7"));
  EXPECT_THAT(six.told[0].addresses, ElementsAre("2001:db8::7"));
  EXPECT_THAT(local.told[0].addresses, Contains(::testing::AnyOf("127.0.0.1", "::1")));
  EXPECT_EQ(local.told[0].error, "");
  EXPECT_THAT(none.told[0].addresses, IsEmpty());
  EXPECT_NE(none.told[0].error, "");
}

TEST_F(UvNamesTest, WhoAskForTheSameNameAtOnceShareOneQuestion) {
  Asker first, second, other;
  {
    const BusyThread busy;
    Ask(&first, "localhost");
    Ask(&second, "localhost");
    EXPECT_EQ(Questions(), 1u);
    Ask(&other, "192.0.2.7");
    EXPECT_EQ(Questions(), 2u) << "another name is another question";
  }
  RunAll();
  ASSERT_EQ(first.told.size(), 1u);
  ASSERT_EQ(second.told.size(), 1u);
  EXPECT_THAT(first.told[0].addresses, Not(IsEmpty()));
  EXPECT_EQ(second.told[0].addresses, first.told[0].addresses);
  ASSERT_EQ(other.told.size(), 1u);
  EXPECT_THAT(other.told[0].addresses, ElementsAre("192.0.2.7"));
}

TEST_F(UvNamesTest, AFailureIsToldToAllWhoShareTheQuestion) {
  Asker first, second;
  Ask(&first, kNoName);
  Ask(&second, kNoName);
  RunAll();
  ASSERT_EQ(first.told.size(), 1u);
  ASSERT_EQ(second.told.size(), 1u);
  EXPECT_NE(first.told[0].error, "");
  EXPECT_EQ(second.told[0].error, first.told[0].error);
}

TEST_F(UvNamesTest, AnAnswerThatWasToldIsNotKept) {
  Asker first, second;
  Ask(&first, "localhost");
  RunAll();
  Ask(&second, "localhost");
  EXPECT_EQ(Questions(), 1u) << "the address may be another one by now";
  RunAll();
  EXPECT_EQ(second.told.size(), 1u);
}

TEST_F(UvNamesTest, WhoLeavesBeforeTheAnswerIsNotToldTheOthersAre) {
  Asker first, second;
  Ask(&first, "localhost");
  Ask(&second, "localhost");
  first.call.reset();
  EXPECT_EQ(Questions(), 1u);
  RunAll();
  EXPECT_THAT(first.told, IsEmpty());
  ASSERT_EQ(second.told.size(), 1u);
  EXPECT_THAT(second.told[0].addresses, Not(IsEmpty()));
}

TEST_F(UvNamesTest, WhoIsToldMayMakeAnotherLeaveAndAskAgain) {
  Asker first, second, again;
  first.then = [&] {
    first.call.reset();
    second.call.reset();
    Ask(&again, "localhost");
    EXPECT_EQ(Questions(), 1u) << "what was answered is over";
  };
  Ask(&first, "localhost");
  Ask(&second, "localhost");
  RunAll();
  EXPECT_EQ(first.told.size(), 1u);
  EXPECT_THAT(second.told, IsEmpty());
  EXPECT_EQ(again.told.size(), 1u);
}

}  // namespace
}  // namespace proxymux::proxy
