// Reading through an encryption library, against a model of the kernel, the library and libpq.
#include "pgsql/libpq/encrypted_input.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

namespace proxymux::pgsql {
namespace {

constexpr std::size_t kRecord = 16384;
constexpr std::size_t kLeastRoom = 8192;

// Before each step of the reader something may come in: records, by their sizes, one list for each
// step.
using Arrivals = std::vector<std::vector<std::size_t>>;

class Model final : public InputSource {
 public:
  explicit Model(Arrivals arrivals) : arrivals_(std::move(arrivals)) {}

  // libpq with the least room that it makes: the rest of a record, or a part of the next one.
  bool Read() override {
    Step();
    ++reads_;
    if (library_ == 0 && !kernel_.empty()) {
      library_ = kernel_.front();
      kernel_.pop_front();
    }
    const std::size_t taken = std::min(library_, kLeastRoom);
    library_ -= taken;
    read_ += taken;
    return !broken_;
  }
  std::uint64_t BytesArrived() const override {
    Step();
    return arrived_;
  }
  std::size_t BytesInKernel() const override {
    Step();
    return Kernel();
  }

  std::size_t Kernel() const {
    std::size_t bytes = 0;
    for (const std::size_t record : kernel_) bytes += record;
    return bytes;
  }
  std::size_t library() const { return library_; }
  std::size_t read() const { return read_; }
  std::uint64_t arrived() const { return arrived_; }
  int reads() const { return reads_; }
  void Break() { broken_ = true; }

 private:
  void Step() const {
    if (step_ == arrivals_.size()) return;
    for (const std::size_t record : arrivals_[step_]) {
      kernel_.push_back(record);
      arrived_ += record;
    }
    ++step_;
  }

  const Arrivals arrivals_;
  mutable std::size_t step_ = 0;
  mutable std::deque<std::size_t> kernel_;
  mutable std::uint64_t arrived_ = 0;
  std::size_t library_ = 0;
  std::size_t read_ = 0;
  int reads_ = 0;
  bool broken_ = false;
};

TEST(EncryptedInput, ARecordLargerThanTheRoomIsReadWhole) {
  Model model(Arrivals{{kRecord}});
  EXPECT_EQ(ReadEncrypted(model), InputRest::kNothing);
  EXPECT_EQ(model.read(), kRecord);
}

TEST(EncryptedInput, WhatStaysInTheKernelMakesTheSocketReadable) {
  Model model(Arrivals{{5, kRecord}});
  EXPECT_EQ(ReadEncrypted(model), InputRest::kNothing);
  EXPECT_EQ(model.reads(), 1);
  EXPECT_EQ(model.Kernel(), kRecord);
}

// The record comes in behind the last look at the kernel and is half read.
TEST(EncryptedInput, WhatComesInMeanwhileIsAReasonToReadAgain) {
  Model model(Arrivals{{5}, {}, {}, {}, {kRecord}});
  EXPECT_EQ(ReadEncrypted(model), InputRest::kPerhaps);
  EXPECT_GT(model.library(), 0U);
  EXPECT_EQ(ReadEncrypted(model), InputRest::kNothing);
  EXPECT_EQ(model.library(), 0U);
  EXPECT_EQ(model.read(), 5 + kRecord);
}

TEST(EncryptedInput, ALostConnectionIsTold) {
  Model model(Arrivals{{kRecord}});
  model.Break();
  EXPECT_EQ(ReadEncrypted(model), InputRest::kBroken);
}

TEST(EncryptedInput, NothingIsLeftUnseenWheneverItComesIn) {
  std::mt19937 random(7);
  const auto upto = [&random](std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(0, most)(random);
  };
  int again = 0;
  for (int round = 0; round < 20000; ++round) {
    Arrivals arrivals(1 + upto(12));
    for (auto& records : arrivals) {
      if (upto(2) > 0) continue;
      for (std::size_t i = upto(2); i > 0; --i) {
        records.push_back(upto(1) == 0 ? kRecord : 1 + upto(kRecord - 1));
      }
    }
    Model model(arrivals);
    while (true) {
      const int before = model.reads();
      const InputRest rest = ReadEncrypted(model);
      ASSERT_LE(model.reads() - before, 3);
      if (rest == InputRest::kPerhaps) {
        ++again;
        continue;
      }
      ASSERT_EQ(rest, InputRest::kNothing);
      if (model.Kernel() == 0) break;  // else the socket is readable
    }
    ASSERT_EQ(model.library(), 0U) << "round " << round;
    ASSERT_EQ(model.read(), model.arrived());
  }
  EXPECT_GT(again, 0);
}

}  // namespace
}  // namespace proxymux::pgsql
