#include "config/yaml/option_value.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "config/values/byte_size.h"
#include "config/values/duration.h"

namespace proxymux::config {
namespace {

std::string Quoted(std::string_view text) {
  constexpr std::size_t kShown = 60;
  std::string out = "\"";
  for (const char c : text.substr(0, kShown)) out += static_cast<unsigned char>(c) < ' ' ? '?' : c;
  return out + (text.size() > kShown ? "...\"" : "\"");
}

std::string JoinWords(const std::vector<std::string_view>& words) {
  std::string out;
  for (const std::string_view word : words) {
    if (!out.empty()) out += ", ";
    out += word;
  }
  return out;
}

std::string InUnit(OptionType type, std::int64_t value) {
  switch (type) {
    case OptionType::kDuration:
      return FormatDuration(Milliseconds(value));
    case OptionType::kSize:
      return FormatByteSize(static_cast<std::size_t>(value));
    case OptionType::kInteger:
    case OptionType::kBool:
    case OptionType::kString:
    case OptionType::kEnum:
      break;
  }
  return std::to_string(value);
}

std::optional<std::string> CheckBounds(const Option& option, std::int64_t value) {
  if (value >= option.minimum && value <= option.maximum) return std::nullopt;
  const OptionType type = option.type();
  return InUnit(type, value) + " is out of bounds: expected " + InUnit(type, option.minimum) +
         " to " + InUnit(type, option.maximum);
}

std::optional<std::string> CheckString(const Option& option, std::string_view text) {
  constexpr std::size_t kLongest = 4096;
  if (text.size() > kLongest) return "longer than 4096 bytes";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') {
      return Quoted(text) + " holds a control character";
    }
  }
  if (!option.words.empty() && !text.empty() &&
      std::find(option.words.begin(), option.words.end(), text) == option.words.end()) {
    return Quoted(text) + " is none of " + JoinWords(option.words);
  }
  if (option.accepts != nullptr && !option.accepts(text)) {
    return Quoted(text) + " is not " + std::string(option.form);
  }
  return std::nullopt;
}

// One overload for each kind of member.

template <typename Struct>
std::optional<std::string> Set(const Option& option, Milliseconds Struct::*member,
                               std::string_view text, Struct* to) {
  std::string error;
  const std::optional<Milliseconds> value = ParseDuration(text, &error);
  if (!value) return error;
  if (auto out_of_bounds = CheckBounds(option, value->count())) return out_of_bounds;
  to->*member = *value;
  return std::nullopt;
}

template <typename Struct>
std::optional<std::string> Set(const Option& option, std::size_t Struct::*member,
                               std::string_view text, Struct* to) {
  std::string error;
  const std::optional<std::size_t> value = ParseByteSize(text, &error);
  if (!value) return error;
  if (*value > static_cast<std::size_t>(option.maximum) ||
      *value < static_cast<std::size_t>(option.minimum)) {
    return FormatByteSize(*value) + " is out of bounds: expected " +
           InUnit(OptionType::kSize, option.minimum) + " to " +
           InUnit(OptionType::kSize, option.maximum);
  }
  to->*member = *value;
  return std::nullopt;
}

template <typename Struct>
std::optional<std::string> Set(const Option& option, std::int64_t Struct::*member,
                               std::string_view text, Struct* to) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || rest != end) {
    return Quoted(text) + " is no whole number: expected " + std::to_string(option.minimum) +
           " to " + std::to_string(option.maximum);
  }
  if (auto out_of_bounds = CheckBounds(option, value)) return out_of_bounds;
  to->*member = value;
  return std::nullopt;
}

template <typename Struct>
std::optional<std::string> Set(const Option&, bool Struct::*member, std::string_view text,
                               Struct* to) {
  if (text == "true" || text == "yes") {
    to->*member = true;
  } else if (text == "false" || text == "no") {
    to->*member = false;
  } else {
    return Quoted(text) + " is neither true nor false";
  }
  return std::nullopt;
}

template <typename Struct>
std::optional<std::string> Set(const Option& option, std::string Struct::*member,
                               std::string_view text, Struct* to) {
  if (auto unfit = CheckString(option, text)) return unfit;
  to->*member = std::string(text);
  return std::nullopt;
}

template <typename Struct>
std::optional<std::string> Set(const Option& option, const EnumMember<Struct>& member,
                               std::string_view text, Struct* to) {
  const auto same = [](char word, char typed) { return word == (typed == '-' ? '_' : typed); };
  const auto word =
      std::find_if(option.words.begin(), option.words.end(), [&](std::string_view candidate) {
        return std::equal(candidate.begin(), candidate.end(), text.begin(), text.end(), same);
      });
  if (word == option.words.end()) return Quoted(text) + " is none of " + JoinWords(option.words);
  member.set(*to, static_cast<std::size_t>(word - option.words.begin()));
  return std::nullopt;
}

template <typename Struct>
std::optional<std::string> SetIn(const Option& option, std::string_view text, Struct* to) {
  const auto* member = std::get_if<OptionMember<Struct>>(&option.member);
  if (member == nullptr) return std::string(option.name) + " is a setting of another section";
  return std::visit([&](const auto& pointer) { return Set(option, pointer, text, to); }, *member);
}

template <typename Struct>
std::string TextFrom(const Option& option, const Struct& from) {
  const auto* member = std::get_if<OptionMember<Struct>>(&option.member);
  if (member == nullptr) return {};
  return std::visit(
      [&](const auto& pointer) -> std::string {
        using Pointer = std::decay_t<decltype(pointer)>;
        if constexpr (std::is_same_v<Pointer, EnumMember<Struct>>) {
          return std::string(option.words[pointer.get(from)]);
        } else {
          using Value = std::decay_t<decltype(from.*pointer)>;
          if constexpr (std::is_same_v<Value, Milliseconds>) {
            return FormatDuration(from.*pointer);
          } else if constexpr (std::is_same_v<Value, std::size_t>) {
            return FormatByteSize(from.*pointer);
          } else if constexpr (std::is_same_v<Value, bool>) {
            return from.*pointer ? "true" : "false";
          } else if constexpr (std::is_same_v<Value, std::string>) {
            return from.*pointer;
          } else {
            return std::to_string(from.*pointer);
          }
        }
      },
      *member);
}

}  // namespace

std::optional<std::string> SetOption(const Option& option, std::string_view text,
                                     ServerConfig* to) {
  return SetIn(option, text, to);
}

std::optional<std::string> SetOption(const Option& option, std::string_view text,
                                     PoolSettings* to) {
  return SetIn(option, text, to);
}

std::optional<std::string> SetOption(const Option& option, std::string_view text,
                                     TableSettings* to) {
  return SetIn(option, text, to);
}

std::string OptionText(const Option& option, const ServerConfig& from) {
  return TextFrom(option, from);
}

std::string OptionText(const Option& option, const PoolSettings& from) {
  return TextFrom(option, from);
}

std::string OptionText(const Option& option, const TableSettings& from) {
  return TextFrom(option, from);
}

std::string DescribeType(const Option& option) {
  const OptionType type = option.type();
  const std::string bounds = InUnit(type, option.minimum) + " to " + InUnit(type, option.maximum);
  switch (type) {
    case OptionType::kDuration:
      return "time (ms, s, m, h, d), " + bounds;
    case OptionType::kSize:
      return "size (B, KiB, MiB, GiB), " + bounds;
    case OptionType::kInteger:
      return "number, " + bounds;
    case OptionType::kBool:
      return "true or false";
    case OptionType::kString:
      if (!option.words.empty()) return "empty or one of " + JoinWords(option.words);
      return option.form.empty() ? "text" : std::string(option.form);
    case OptionType::kEnum:
      return "one of " + JoinWords(option.words);
  }
  return {};
}

}  // namespace proxymux::config
