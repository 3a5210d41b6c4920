#include "protocol/attribute_codec.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace proxymux::protocol {

void AttributeList::Add(const Attribute& attribute) {
  if (count_ < kMaxKept) kept_[count_] = attribute;
  ++count_;
}

AttributeDecoder::Result AttributeDecoder::Decode(std::string_view bytes, AttributeList* list,
                                                  std::size_t* list_bytes) {
  const std::size_t limit = std::min(bytes.size(), max_list_bytes_);
  while (scanned_ < limit) {
    const void* nul = std::memchr(bytes.data() + scanned_, '\0', limit - scanned_);
    if (nul == nullptr) {
      scanned_ = limit;
      break;
    }
    const std::size_t end = static_cast<const char*>(nul) - bytes.data();
    scanned_ = end + 1;
    switch (expects_) {
      case Expects::kName:
        if (end == begin_) {
          list->Clear();
          for (std::size_t i = 0; i < count_; ++i) {
            if (i >= extents_.size()) {
              list->Add({});
              continue;
            }
            const Extent& at = extents_[i];
            list->Add({bytes.substr(at.name, at.value - 1 - at.name),
                       bytes.substr(at.value, at.end - at.value)});
          }
          *list_bytes = scanned_;
          Reset();
          return Result::kList;
        }
        if (count_ < extents_.size()) {
          extents_[count_].name = begin_;
          extents_[count_].value = scanned_;
        }
        expects_ = Expects::kValue;
        break;
      case Expects::kValue:
        if (count_ < extents_.size()) extents_[count_].end = end;
        ++count_;
        expects_ = Expects::kName;
        break;
    }
    begin_ = scanned_;
  }
  return scanned_ >= max_list_bytes_ ? Result::kTooLong : Result::kIncomplete;
}

void AttributeDecoder::Reset() {
  scanned_ = 0;
  begin_ = 0;
  expects_ = Expects::kName;
  count_ = 0;
}

namespace {

std::string_view UpToNul(std::string_view text) {
  // find() on a single character is memchr.
  return text.substr(0, std::min(text.find('\0'), text.size()));
}

}  // namespace

void AppendAttribute(std::string_view name, std::string_view value, std::string* out) {
  out->append(UpToNul(name)).push_back('\0');
  out->append(UpToNul(value)).push_back('\0');
}

void AppendAttribute(std::string_view name, std::uint32_t value, std::string* out) {
  char digits[10];  // 4294967295
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, value);
  AppendAttribute(name, std::string_view(digits, end.ptr - digits), out);
}

void AppendListEnd(std::string* out) { out->push_back('\0'); }

}  // namespace proxymux::protocol
