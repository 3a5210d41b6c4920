#include "pgsql/sql/key_parts.h"

#include <gtest/gtest.h>

namespace proxymux::pgsql {
namespace {

TEST(KeyParts, SplitsAtTheLastAt) {
  const KeyParts key("a@b@c.org");
  EXPECT_TRUE(key.has_at());
  EXPECT_EQ(key.user(), "a@b");
  EXPECT_EQ(key.domain(), "c.org");
}

TEST(KeyParts, WithoutAtTheWholeKeyIsTheUser) {
  const KeyParts key("postmaster");
  EXPECT_FALSE(key.has_at());
  EXPECT_EQ(key.user(), "postmaster");
  EXPECT_EQ(key.domain(), "");
  EXPECT_EQ(key.label_count(), 0u);
}

TEST(KeyParts, EmptyPartsStayEmpty) {
  EXPECT_EQ(KeyParts("@b").user(), "");
  EXPECT_EQ(KeyParts("u@").domain(), "");
  EXPECT_TRUE(KeyParts("u@").has_at());
  EXPECT_EQ(KeyParts("").user(), "");
}

TEST(KeyParts, LabelsCountFromTheRight) {
  const KeyParts key("user@mail.example.com");
  EXPECT_EQ(key.label_count(), 3u);
  EXPECT_EQ(key.Label(1), "com");
  EXPECT_EQ(key.Label(2), "example");
  EXPECT_EQ(key.Label(3), "mail");
  EXPECT_EQ(key.Label(4), "");
}

TEST(KeyParts, EmptyLabelsDoNotCount) {
  const KeyParts key("u@.a..b.");
  EXPECT_EQ(key.label_count(), 2u);
  EXPECT_EQ(key.Label(1), "b");
  EXPECT_EQ(key.Label(2), "a");
  EXPECT_EQ(key.Label(3), "");
  EXPECT_EQ(KeyParts("u@...").label_count(), 0u);
}

TEST(Requirements, WhatIsNotAskedForMayBeMissing) {
  EXPECT_EQ(FirstMissing({}, KeyParts("@")), Missing::kNothing);
  EXPECT_EQ(FirstMissing({.user = true}, KeyParts("u@")), Missing::kNothing);
  EXPECT_EQ(FirstMissing({.user = true}, KeyParts("u")), Missing::kNothing);
  EXPECT_EQ(FirstMissing({.domain = true}, KeyParts("@b")), Missing::kNothing);
}

TEST(Requirements, NameWhatIsMissing) {
  EXPECT_EQ(FirstMissing({.user = true}, KeyParts("@b")), Missing::kUser);
  EXPECT_EQ(FirstMissing({.domain = true}, KeyParts("u@")), Missing::kDomain);
  EXPECT_EQ(FirstMissing({.domain = true}, KeyParts("u")), Missing::kDomain);
  EXPECT_EQ(FirstMissing({.domain = true, .labels = 3}, KeyParts("u@a.b")), Missing::kLabels);
  EXPECT_EQ(FirstMissing({.domain = true, .labels = 1}, KeyParts("u@..")), Missing::kLabels);
}

TEST(Requirements, MergeAsksForWhatEitherAsks) {
  Requirements merged{.user = true, .labels = 2};
  merged.Merge({.domain = true, .labels = 1});
  EXPECT_EQ(merged, (Requirements{.user = true, .domain = true, .labels = 2}));
}

}  // namespace
}  // namespace proxymux::pgsql
