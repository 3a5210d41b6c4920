#include "pgsql/work/work_store.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "pgsql/work/table_binding.h"
#include "tests/pgsql/work/nobodys_sink.h"

namespace proxymux::pgsql {
namespace {

TEST(WorkStore, WhatIsOverIsUsedAgain) {
  WorkStore store;
  Work* first = store.Take();
  EXPECT_EQ(store.in_use(), 1U);
  NobodysSink waiter;
  first->sink = &waiter;
  first->binding = std::make_shared<TableBinding>();
  first->key = "a key";
  const std::weak_ptr<TableBinding> table = first->binding;
  EXPECT_FALSE(store.NobodyWaits());
  store.GiveBack(first);
  EXPECT_TRUE(store.NobodyWaits());
  EXPECT_TRUE(table.expired());
  EXPECT_EQ(store.in_use(), 0U);
  EXPECT_EQ(store.Take(), first);
  EXPECT_NE(store.Take(), first);
  EXPECT_EQ(store.in_use(), 2U);
}

TEST(WorkStore, TheMemoryOfALongKeyIsNotKept) {
  WorkStore store;
  Work* work = store.Take();
  work->key = std::string(4096, 'k');
  store.GiveBack(work);
  EXPECT_EQ(store.Take(), work);
  EXPECT_GE(work->key.capacity(), 4096U);  // is of an ordinary length
  work->key = std::string(100000, 'k');
  store.GiveBack(work);
  EXPECT_LT(store.Take()->key.capacity(), 4096U);
}

// In any order; what is in use stays where it is.
TEST(WorkStore, NoMoreAreKeptThanTheSpare) {
  for (const bool oldest_first : {true, false}) {
    WorkStore store;
    std::vector<Work*> works;
    std::vector<std::weak_ptr<TableBinding>> tables;
    for (std::size_t i = 0; i < 3 * WorkStore::kSpare; ++i) {
      works.push_back(store.Take());
      works.back()->sequence = i;
      works.back()->binding = std::make_shared<TableBinding>();
      tables.push_back(works.back()->binding);
    }
    for (std::size_t i = 0; i < 2 * WorkStore::kSpare; ++i) {
      const std::size_t index = oldest_first ? i : works.size() - 1 - i;
      store.GiveBack(works[index]);
      EXPECT_TRUE(tables[index].expired());
    }
    EXPECT_EQ(store.in_use(), WorkStore::kSpare);
    EXPECT_EQ(store.size(), 2 * WorkStore::kSpare);
    for (std::size_t i = 0; i < WorkStore::kSpare; ++i) {
      const std::size_t index = oldest_first ? 2 * WorkStore::kSpare + i : i;
      EXPECT_EQ(works[index]->sequence, index);
      EXPECT_FALSE(tables[index].expired());
      store.GiveBack(works[index]);
    }
    EXPECT_EQ(store.in_use(), 0U);
    EXPECT_EQ(store.size(), WorkStore::kSpare);
  }
}

}  // namespace
}  // namespace proxymux::pgsql
