#include "proxy/requests/flight_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <vector>

namespace proxymux::proxy {
namespace {

struct Flight {
  std::string key;
  std::uint64_t hash = 0;
};

class FlightTableTest : public ::testing::Test {
 protected:
  Flight* Insert(const std::string& key, std::uint64_t hash) {
    flights_.push_back({key, hash});
    table_.Insert(hash, &flights_.back());
    return &flights_.back();
  }
  Flight* Find(const std::string& key, std::uint64_t hash) const {
    return table_.Find(hash, [&](const Flight& flight) { return flight.key == key; });
  }

  std::deque<Flight> flights_;
  FlightTable<Flight> table_;
};

TEST_F(FlightTableTest, AnEmptyOneFindsNothing) {
  EXPECT_EQ(table_.size(), 0u);
  EXPECT_EQ(Find("a", 1), nullptr);
  EXPECT_TRUE(table_.All().empty());
}

TEST_F(FlightTableTest, FindsWhatStandsThereAndNothingElse) {
  Flight* const a = Insert("a", 1);
  Flight* const b = Insert("b", 2);
  EXPECT_EQ(Find("a", 1), a);
  EXPECT_EQ(Find("b", 2), b);
  EXPECT_EQ(Find("b", 1), nullptr);
  EXPECT_EQ(Find("c", 3), nullptr);
  table_.Erase(1, a);
  EXPECT_EQ(Find("a", 1), nullptr);
  EXPECT_EQ(Find("b", 2), b);
  EXPECT_EQ(table_.All(), std::vector<Flight*>{b});
}

// Only the hash tells a stranger's flight apart before its key is read.
TEST_F(FlightTableTest, TheKeyOfAnotherHashIsNotRead) {
  Insert("a", 1);
  Insert("b", 65);  // the same place as 1
  std::vector<std::string> read;
  table_.Find(65, [&](const Flight& flight) {
    read.push_back(flight.key);
    return true;
  });
  EXPECT_EQ(read, std::vector<std::string>{"b"});
}

TEST_F(FlightTableTest, OneHashMayStandThereSeveralTimes) {
  Flight* const a = Insert("a", 7);
  Flight* const b = Insert("b", 7);
  Flight* const again = Insert("a", 7);
  EXPECT_EQ(Find("b", 7), b);
  table_.Erase(7, a);
  EXPECT_EQ(Find("a", 7), again);
  EXPECT_EQ(Find("b", 7), b);
  table_.Erase(7, again);
  EXPECT_EQ(Find("a", 7), nullptr);
  EXPECT_EQ(table_.size(), 1u);
}

// What one leaves behind hides nothing: round the end of the table, and past those who stand where
// they belong.
TEST_F(FlightTableTest, AHoleHidesNothing) {
  Flight* const at_end = Insert("end", 63);
  Flight* const round = Insert("round", 63 + 64);     // at 0
  Flight* const home = Insert("home", 1);             // where it belongs
  Flight* const behind = Insert("behind", 63 + 128);  // at 2
  table_.Erase(63, at_end);
  EXPECT_EQ(Find("round", 63 + 64), round);
  EXPECT_EQ(Find("home", 1), home);
  EXPECT_EQ(Find("behind", 63 + 128), behind);
  table_.Erase(63 + 64, round);
  EXPECT_EQ(Find("home", 1), home);
  EXPECT_EQ(Find("behind", 63 + 128), behind);
  table_.Erase(63 + 128, behind);
  EXPECT_EQ(Find("home", 1), home);
}

// Against a list that is looked through, with few hashes, so that they meet.
TEST_F(FlightTableTest, BehavesLikeAListWhateverComesAndGoes) {
  std::mt19937 random(1);
  std::vector<Flight*> model;
  for (int round = 0; round < 20000; ++round) {
    const bool grows = round / 2000 % 2 == 0;  // up to some hundreds, and down again
    const bool insert = model.empty() || random() % 10 < (grows ? 7u : 3u);
    if (insert) {
      const std::uint64_t hash = random() % 512;
      model.push_back(Insert(std::to_string(round), hash));
    } else {
      const std::size_t at = random() % model.size();
      table_.Erase(model[at]->hash, model[at]);
      model[at] = model.back();
      model.pop_back();
    }
    ASSERT_EQ(table_.size(), model.size());
    if (!model.empty()) {
      Flight* const one = model[random() % model.size()];
      ASSERT_EQ(Find(one->key, one->hash), one);
    }
  }
  for (Flight* flight : model) EXPECT_EQ(Find(flight->key, flight->hash), flight);
  std::vector<Flight*> all = table_.All();
  std::ranges::sort(all);
  std::ranges::sort(model);
  EXPECT_EQ(all, model);
}

}  // namespace
}  // namespace proxymux::proxy
