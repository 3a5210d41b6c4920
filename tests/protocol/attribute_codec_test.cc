#include "protocol/attribute_codec.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace proxymux::protocol {
namespace {

using std::string_literals::operator""s;
using Result = AttributeDecoder::Result;
using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kLimit = 64 << 10;

Pairs Kept(const AttributeList& list) {
  Pairs pairs;
  for (const Attribute& attribute : list) pairs.emplace_back(attribute.name, attribute.value);
  return pairs;
}

TEST(AttributeDecoder, DecodesAListInOnePiece) {
  AttributeDecoder decoder(kLimit);
  AttributeList list;
  std::size_t list_bytes = 0;
  const std::string bytes = "request\0open\0table\0unix:passwd.byname\0flags\0000\0\0"s;
  ASSERT_EQ(decoder.Decode(bytes, &list, &list_bytes), Result::kList);
  EXPECT_EQ(list_bytes, bytes.size());
  EXPECT_EQ(list.count(), 3u);
  EXPECT_EQ(Kept(list),
            (Pairs{{"request", "open"}, {"table", "unix:passwd.byname"}, {"flags", "0"}}));
  EXPECT_FALSE(decoder.InsideList());
}

TEST(AttributeDecoder, ViewsPointIntoTheCallersBuffer) {
  AttributeDecoder decoder(kLimit);
  AttributeList list;
  std::size_t list_bytes = 0;
  const std::string bytes = "key\0user@example.com\0\0"s;
  ASSERT_EQ(decoder.Decode(bytes, &list, &list_bytes), Result::kList);
  EXPECT_EQ(list[0].name.data(), bytes.data());
  EXPECT_EQ(list[0].value.data(), bytes.data() + 4);
}

TEST(AttributeDecoder, ASingleNulIsTheEmptyList) {
  AttributeDecoder decoder(kLimit);
  AttributeList list;
  list.Add({"left", "over"});
  std::size_t list_bytes = 0;
  ASSERT_EQ(decoder.Decode("\0"s, &list, &list_bytes), Result::kList);
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list_bytes, 1u);
}

TEST(AttributeDecoder, AnEmptyValueDoesNotEndTheList) {
  AttributeDecoder decoder(kLimit);
  AttributeList list;
  std::size_t list_bytes = 0;
  const std::string bytes = "status\0001\0value\0\0\0"s;
  ASSERT_EQ(decoder.Decode(bytes, &list, &list_bytes), Result::kList);
  EXPECT_EQ(list_bytes, bytes.size());
  EXPECT_EQ(Kept(list), (Pairs{{"status", "1"}, {"value", ""}}));
}

TEST(AttributeDecoder, NothingAtAllIsIncomplete) {
  AttributeDecoder decoder(kLimit);
  AttributeList list;
  std::size_t list_bytes = 77;
  EXPECT_EQ(decoder.Decode("", &list, &list_bytes), Result::kIncomplete);
  EXPECT_FALSE(decoder.InsideList());
  EXPECT_EQ(decoder.Decode("req", &list, &list_bytes), Result::kIncomplete);
  EXPECT_TRUE(decoder.InsideList());
  EXPECT_EQ(list_bytes, 77u);
}

// The buffer is a fresh allocation of the exact size each time: a view or position kept from an
// earlier call would be seen by the address sanitizer, and by the comparison.
TEST(AttributeDecoder, AListSplitAtAnyBytesInAMovingBufferIsTheSame) {
  const std::string bytes = "request\0lookup\0table\0pgsql:/a.cf\0flags\0001\0key\0\0\0"s;
  for (std::size_t first = 0; first < bytes.size(); ++first) {
    for (std::size_t second = first; second < bytes.size(); ++second) {
      AttributeDecoder decoder(kLimit);
      AttributeList list;
      std::size_t list_bytes = 0;
      for (const std::size_t size : {first, second}) {
        const std::vector<char> part(bytes.begin(), bytes.begin() + size);
        ASSERT_EQ(decoder.Decode({part.data(), part.size()}, &list, &list_bytes),
                  Result::kIncomplete);
      }
      const std::vector<char> whole(bytes.begin(), bytes.end());
      ASSERT_EQ(decoder.Decode({whole.data(), whole.size()}, &list, &list_bytes), Result::kList);
      ASSERT_EQ(list_bytes, bytes.size());
      ASSERT_EQ(
          Kept(list),
          (Pairs{{"request", "lookup"}, {"table", "pgsql:/a.cf"}, {"flags", "1"}, {"key", ""}}));
    }
  }
}

// Once seen, bytes are not read again: overwriting them cannot change where the list ends.
TEST(AttributeDecoder, WhatWasScannedIsNotScannedAgain) {
  AttributeDecoder decoder(kLimit);
  AttributeList list;
  std::size_t list_bytes = 0;
  std::string bytes = "name\0val"s;
  ASSERT_EQ(decoder.Decode(bytes, &list, &list_bytes), Result::kIncomplete);
  std::memset(bytes.data() + 5, '\0', 3);
  bytes += "ue\0\0"s;
  ASSERT_EQ(decoder.Decode(bytes, &list, &list_bytes), Result::kList);
  EXPECT_EQ(list_bytes, bytes.size());
  EXPECT_EQ(list.count(), 1u);
}

TEST(AttributeDecoder, ListsBackToBackAreReturnedOneByOne) {
  AttributeDecoder decoder(kLimit);
  AttributeList list;
  std::size_t list_bytes = 0;
  const std::string bytes = "a\0001\0\0\0b\0002\0\0c\0"s;
  std::string_view rest = bytes;

  ASSERT_EQ(decoder.Decode(rest, &list, &list_bytes), Result::kList);
  EXPECT_EQ(Kept(list), (Pairs{{"a", "1"}}));
  rest.remove_prefix(list_bytes);
  ASSERT_EQ(decoder.Decode(rest, &list, &list_bytes), Result::kList);
  EXPECT_TRUE(list.empty());
  rest.remove_prefix(list_bytes);
  ASSERT_EQ(decoder.Decode(rest, &list, &list_bytes), Result::kList);
  EXPECT_EQ(Kept(list), (Pairs{{"b", "2"}}));
  rest.remove_prefix(list_bytes);
  EXPECT_EQ(rest, "c\0"s);
  EXPECT_EQ(decoder.Decode(rest, &list, &list_bytes), Result::kIncomplete);
}

TEST(AttributeDecoder, AttributesBeyondTheEighthAreOnlyCounted) {
  AttributeDecoder decoder(kLimit);
  AttributeList list;
  std::size_t list_bytes = 0;
  std::string bytes;
  for (int i = 0; i < 20; ++i) AppendAttribute("n" + std::to_string(i), "v", &bytes);
  AppendListEnd(&bytes);
  ASSERT_EQ(decoder.Decode(bytes, &list, &list_bytes), Result::kList);
  EXPECT_EQ(list_bytes, bytes.size());
  EXPECT_EQ(list.count(), 20u);
  EXPECT_EQ(list.kept(), 8u);
  EXPECT_EQ(list[7].name, "n7");
  EXPECT_EQ(list.end() - list.begin(), 8);
}

TEST(AttributeDecoder, AListOfExactlyTheLimitIsAccepted) {
  const std::string bytes = "key\0"s + std::string(100, 'k') + "\0\0"s;
  AttributeList list;
  std::size_t list_bytes = 0;
  AttributeDecoder exact(bytes.size());
  EXPECT_EQ(exact.Decode(bytes, &list, &list_bytes), Result::kList);
  AttributeDecoder one_less(bytes.size() - 1);
  EXPECT_EQ(one_less.Decode(bytes, &list, &list_bytes), Result::kTooLong);
}

// A client that never ends its list must not make us wait for more than a full buffer.
TEST(AttributeDecoder, AFullBufferWithoutAListIsTooLongHoweverItArrived) {
  const std::string bytes(100, 'x');
  AttributeDecoder decoder(100);
  AttributeList list;
  std::size_t list_bytes = 0;
  for (std::size_t size = 0; size < 100; ++size) {
    ASSERT_EQ(decoder.Decode(std::string_view(bytes).substr(0, size), &list, &list_bytes),
              Result::kIncomplete);
  }
  EXPECT_EQ(decoder.Decode(bytes, &list, &list_bytes), Result::kTooLong);
  EXPECT_EQ(decoder.Decode(bytes + "\0\0"s, &list, &list_bytes), Result::kTooLong) << "for good";
  decoder.Reset();
  EXPECT_EQ(decoder.Decode("a\0b\0\0"s, &list, &list_bytes), Result::kList);
}

TEST(AttributeDecoder, TheLimitHoldsForEachListNotForTheBuffer) {
  AttributeDecoder decoder(16);
  AttributeList list;
  std::size_t list_bytes = 0;
  std::string bytes;
  for (int i = 0; i < 10; ++i) bytes += "name\0value\0\0"s;
  std::string_view rest = bytes;
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(decoder.Decode(rest, &list, &list_bytes), Result::kList) << i;
    rest.remove_prefix(list_bytes);
  }
}

TEST(AttributeEncoder, WritesNameValueAndEnd) {
  std::string out;
  AppendAttribute("status", std::uint32_t{0}, &out);
  AppendAttribute("flags", std::uint32_t{4294967295}, &out);
  AppendAttribute("value", "", &out);
  AppendListEnd(&out);
  EXPECT_EQ(out, "status\0000\0flags\0004294967295\0value\0\0\0"s);
}

TEST(AttributeEncoder, ANulInAValueCannotAddAttributes) {
  std::string out;
  AppendAttribute("value", "box\0status\0000\0\0"s, &out);
  AppendAttribute("na\0me"s, "\0"s, &out);
  AppendListEnd(&out);
  EXPECT_EQ(out, "value\0box\0na\0\0\0"s);
}

}  // namespace
}  // namespace proxymux::protocol
