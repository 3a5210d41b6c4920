#include "tests/lint/room_visibility.h"

#include <algorithm>
#include <cctype>
#include <set>

namespace proxymux::lint {
namespace {

constexpr std::string_view kTests = "//tests:__subpackages__";

struct Attribute {
  bool is_default = false;  // of the package
  std::set<std::string> labels;
};

// Without comments, which may hold brackets and quotes. No label has a '#'.
std::string WithoutComments(std::string_view text) {
  std::string code;
  bool comment = false;
  for (char c : text) {
    comment = c != '\n' && (comment || c == '#');
    if (!comment) code += c;
  }
  return code;
}

std::set<std::string> QuotedIn(std::string_view list) {
  std::set<std::string> words;
  for (std::size_t open = list.find('"'); open != std::string_view::npos;) {
    const std::size_t close = list.find('"', open + 1);
    if (close == std::string_view::npos) break;
    words.emplace(list.substr(open + 1, close - open - 1));
    open = list.find('"', close + 1);
  }
  return words;
}

// Every `visibility = [...]` and `default_visibility = [...]`.
std::vector<Attribute> VisibilitiesIn(std::string_view build) {
  constexpr std::string_view kName = "visibility";
  const std::string code = WithoutComments(build);
  const std::string_view text = code;
  std::vector<Attribute> attributes;
  for (std::size_t at = text.find(kName); at != std::string_view::npos;
       at = text.find(kName, at + 1)) {
    std::size_t i = at + kName.size();
    const auto skip_blanks = [&] { i = std::min(text.find_first_not_of(" \t\n", i), text.size()); };
    skip_blanks();
    if (!text.substr(i).starts_with('=')) continue;  // `//visibility:private`
    ++i;
    skip_blanks();
    if (!text.substr(i).starts_with('[')) continue;
    const std::size_t close = std::min(text.find(']', i), text.size());
    attributes.push_back({.is_default = text.substr(0, at).ends_with("default_"),
                          .labels = QuotedIn(text.substr(i, close - i))});
  }
  return attributes;
}

std::string PackageOf(std::string_view room) { return "//" + std::string(room) + ":__pkg__"; }

}  // namespace

std::vector<std::string> CheckVisibility(const House& house, std::string_view room,
                                         std::string_view build) {
  std::vector<std::string> messages;
  const auto report = [&](const std::string& message) {
    messages.push_back(std::string(room) + "/BUILD.bazel: " + message);
  };

  std::set<std::string> allowed = {std::string(kTests)};
  for (const Room& other : house) {
    if (std::ranges::find(other.may_include, room) != other.may_include.end()) {
      allowed.insert(PackageOf(other.name));
    }
  }
  const std::vector<Attribute> attributes = VisibilitiesIn(build);
  if (std::ranges::count(attributes, true, &Attribute::is_default) != 1) {
    report("needs one default_visibility, a list of labels");
  }
  for (const Attribute& attribute : attributes) {
    for (const std::string& label : attribute.labels) {
      const bool narrower =
          !attribute.is_default && (label == PackageOf(room) || label == "//visibility:private" ||
                                    label.starts_with("//tests/"));
      if (!narrower && !allowed.contains(label)) {
        report((attribute.is_default ? "default_visibility names " : "a visibility names ") +
               label + ", which may not include it by tests/lint/rooms.cc");
      }
    }
    if (!attribute.is_default) continue;
    for (const std::string& label : allowed) {
      if (!attribute.labels.contains(label)) report("default_visibility lacks " + label);
    }
  }
  return messages;
}

}  // namespace proxymux::lint
