// A lookup key taken apart as pgsql_table(5) wants it: user and domain at the last '@', and the
// domain's labels counted from the right. Holds views into the caller's key; the key must outlive
// it. Allocates nothing.
#pragma once

#include <cstddef>
#include <string_view>

namespace proxymux::pgsql {

class KeyParts {
 public:
  explicit KeyParts(std::string_view key);

  std::string_view key() const { return key_; }
  bool has_at() const { return has_at_; }
  // What stands before the last '@'; the whole key when there is none.
  std::string_view user() const { return user_; }
  // What stands behind the last '@'; empty when there is none.
  std::string_view domain() const { return domain_; }
  // Labels of the domain that are not empty: "u@.a..b." has two.
  std::size_t label_count() const;
  // The n-th label from the right, from 1; empty when there are fewer.
  std::string_view Label(std::size_t n) const;

 private:
  std::string_view key_;
  std::string_view user_;
  std::string_view domain_;
  bool has_at_ = false;
};

// What a template asks of a key. A key that lacks any of it is answered "not found" without a
// query.
struct Requirements {
  bool user = false;       // something before the last '@' (a key without '@' is all user)
  bool domain = false;     // an '@' with something behind it
  std::size_t labels = 0;  // at least so many labels in the domain

  void Merge(const Requirements& other);
  friend bool operator==(const Requirements&, const Requirements&) = default;
};

enum class Missing { kNothing, kUser, kDomain, kLabels };

Missing FirstMissing(const Requirements& wanted, const KeyParts& key);

}  // namespace proxymux::pgsql
