#include "config/postfix/main_cf.h"

#include <utility>

namespace proxymux::config {
namespace {

constexpr std::string_view kBlanks = " \t\n\v\f\r";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kNameCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

bool IsBlank(char c) { return kBlanks.find(c) != std::string_view::npos; }

std::string_view Trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// The word that a broken line begins with, when it looks like a name. Nothing else of the line may
// be shown: it could be the tail of a password.
std::string LeadingName(std::string_view line) {
  const std::string_view word = line.substr(0, line.find_first_of(" \t\r\v\f:"));
  constexpr std::size_t kLongest = 40;
  if (word.size() == line.size() || word.empty() || word.size() > kLongest ||
      word.find_first_not_of(kNameCharacters) != std::string_view::npos) {
    return {};
  }
  return " after \"" + std::string(word) + '"';
}

// Of what begins at that offset of the whole: what stands before it begins in the line that it
// does.
std::vector<LineBreak> BreaksWithin(const TextPlace& whole, std::size_t begin) {
  std::vector<LineBreak> breaks;
  if (const int first = whole.LineAt(begin); first != whole.line) breaks.push_back({0, first});
  for (const LineBreak& each : whole.breaks) {
    if (each.offset > begin) breaks.push_back({each.offset - begin, each.line});
  }
  return breaks;
}

}  // namespace

int TextPlace::LineAt(std::size_t offset) const {
  int at = line;
  for (const LineBreak& each : breaks) {
    if (each.offset <= offset) at = each.line;
  }
  return at;
}

std::vector<LogicalLine> ReadLogicalLines(std::string_view text, const std::string& file,
                                          std::vector<Diagnostic>* diagnostics) {
  std::vector<LogicalLine> lines;
  bool dropping = false;
  int number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    const std::size_t first = line.find_first_not_of(kBlanks);
    if (first == std::string_view::npos || line[first] == '#') continue;
    if (!IsBlank(line[0])) {
      lines.push_back({std::string(line), {number, {}}});
    } else if (!lines.empty()) {
      lines.back().place.breaks.push_back({lines.back().text.size(), number});
      lines.back().text += line;
    } else if (!dropping) {
      dropping = true;
      diagnostics->push_back({file, number, 0, Severity::kWarning,
                              "the first line begins with white space but continues nothing; it "
                              "is ignored",
                              "remove the white space before it"});
    }
  }
  return lines;
}

MainCf ParseMainCf(std::string_view text, const std::string& file) {
  MainCf result;
  for (const LogicalLine& logical : ReadLogicalLines(text, file, &result.diagnostics)) {
    const auto report = [&](Severity severity, std::string what, std::string hint) {
      result.diagnostics.push_back(
          {file, logical.place.line, 0, severity, std::move(what), std::move(hint)});
    };
    std::string_view line = logical.text;
    if (const std::size_t nul = line.find('\0'); nul != std::string_view::npos) {
      report(Severity::kWarning, "a NUL byte; what follows it in this setting is ignored",
             "remove it");
      line = line.substr(0, nul);
    }
    if (line.starts_with(kByteOrderMark)) {
      report(Severity::kWarning,
             "a byte order mark stands before the first setting: it is a part of its name, which "
             "nobody knows",
             "save the file without it");
    }
    const std::size_t name_end = line.find_first_of(" \t\n\v\f\r=");
    const std::size_t equals =
        name_end == std::string_view::npos ? name_end : line.find_first_not_of(kBlanks, name_end);
    if (line.empty() || name_end == 0) {
      report(Severity::kError, "no name before the \"=\"", "write `name = value`");
    } else if (equals == std::string_view::npos || line[equals] != '=') {
      report(Severity::kError, "a line without \"=\"" + LeadingName(line),
             "write `name = value`; a line that continues the one before begins with white space");
    } else {
      const std::string_view value = Trim(line.substr(equals + 1));
      const std::size_t begin = value.empty() ? line.size() : value.data() - line.data();
      result.settings.push_back({std::string(line.substr(0, name_end)),
                                 std::string(value),
                                 logical.place.line,
                                 {},
                                 BreaksWithin(logical.place, begin)});
    }
  }
  return result;
}

std::map<std::string, std::string> LastValues(const std::vector<MainCfSetting>& settings) {
  std::map<std::string, std::string> values;
  for (const MainCfSetting& setting : settings) {
    if (setting.fault.empty()) {
      values[setting.name] = setting.value;
    } else {
      values.erase(setting.name);
    }
  }
  return values;
}

}  // namespace proxymux::config
