// Attribute lists as Postfix daemons exchange them: a run of `name NUL value NUL` closed by one
// more NUL, which is to say by an empty name. There is no length prefix, no escaping, and no NUL
// inside a name or a value.
//
// The decoder works on the caller's buffer and owns nothing: what it returns are views into that
// buffer, valid for as long as the bytes stay where they are. Neither side allocates, but for the
// growth of the string that the encoder appends to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace proxymux::protocol {

struct Attribute {
  std::string_view name;
  std::string_view value;

  friend bool operator==(const Attribute&, const Attribute&) = default;
};

// One decoded list. It keeps the first kMaxKept attributes, more than any request or reply has, and
// counts the rest.
class AttributeList {
 public:
  static constexpr std::size_t kMaxKept = 8;

  std::size_t count() const { return count_; }  // in the list, kept or not
  std::size_t kept() const { return count_ < kMaxKept ? count_ : kMaxKept; }
  bool empty() const { return count_ == 0; }
  const Attribute& operator[](std::size_t i) const { return kept_[i]; }  // i < kept()
  const Attribute* begin() const { return kept_.data(); }
  const Attribute* end() const { return kept_.data() + kept(); }

  void Clear() { count_ = 0; }
  void Add(const Attribute& attribute);  // only counted when kMaxKept are there already

 private:
  std::array<Attribute, kMaxKept> kept_;
  std::size_t count_ = 0;
};

// Finds the end of one list after the other in a stream that arrives in pieces of any size.
//
// Usage: call Decode() with everything that has arrived since the last complete list ended. After
// kIncomplete call it again when more is there: the same bytes first, possibly at another address,
// then the new ones. After kList take *list_bytes off the front and call again at once: more
// complete lists may follow. Every byte is looked at once, however it arrives. A decoder belongs to
// one direction of one connection.
class AttributeDecoder {
 public:
  enum class Result {
    kIncomplete,  // no end of list yet; *list and *list_bytes are not touched
    kList,        // *list and *list_bytes are set, the closing NUL included
    kTooLong,     // longer than the limit: there is no next list to be found, until Reset()
  };

  // The limit counts the closing NUL. kTooLong is the answer as soon as so many bytes hold no
  // complete list; hence a buffer of max_list_bytes always suffices, and the outcome does not
  // depend on how the bytes were split.
  explicit AttributeDecoder(std::size_t max_list_bytes) : max_list_bytes_(max_list_bytes) {}

  Result Decode(std::string_view bytes, AttributeList* list, std::size_t* list_bytes);

  // Forgets a list begun: the next Decode() starts at its first byte.
  void Reset();

  // Whether the bytes seen since the last complete list are the beginning of another.
  bool InsideList() const { return scanned_ != 0; }

 private:
  enum class Expects { kName, kValue };

  // Positions, not pointers: the caller's buffer may move between calls.
  struct Extent {
    std::size_t name = 0;   // where the name begins
    std::size_t value = 0;  // where the value begins, one past the name's NUL
    std::size_t end = 0;    // one past the value's last byte
  };

  std::size_t max_list_bytes_;
  std::size_t scanned_ = 0;  // bytes that need not be looked at again
  std::size_t begin_ = 0;    // of the string that is being read
  Expects expects_ = Expects::kName;
  std::size_t count_ = 0;
  std::array<Extent, AttributeList::kMaxKept> extents_;
};

// The encoder. A NUL inside `name` or `value` would end it early on the other side and turn the
// rest into attributes of the sender's choice, so what follows a NUL is left out. Callers are
// expected to have none: keys come from attribute lists, and PostgreSQL has no NUL in text.
void AppendAttribute(std::string_view name, std::string_view value, std::string* out);
void AppendAttribute(std::string_view name, std::uint32_t value, std::string* out);  // decimal
void AppendListEnd(std::string* out);

}  // namespace proxymux::protocol
