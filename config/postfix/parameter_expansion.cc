#include "config/postfix/parameter_expansion.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include "config/postfix/domain_functions.h"

namespace proxymux::config {
namespace {

constexpr std::string_view kBlanks = " \t\n\v\f\r";
constexpr std::string_view kLevel = "level";  // behind an operator: compare compatibility levels
constexpr int kDeepest = 100;                 // references inside references
constexpr std::size_t kLongest = 1 << 20;     // bytes of a result
constexpr int kMostReferences = 100000;       // stops values that double at every level

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string_view SkipBlanks(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  return first == std::string_view::npos ? std::string_view{} : text.substr(first);
}

// Where the bracket closes that was opened just before `text`; only brackets of its own kind count.
std::optional<std::size_t> FindClosing(std::string_view text, char open, char close) {
  int level = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == open) ++level;
    if (text[i] == close && --level == 0) return i;
  }
  return std::nullopt;
}

bool AllDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// As numbers when both are, of any length; else byte by byte.
int Compare(std::string_view a, std::string_view b) {
  if (!AllDigits(a) || !AllDigits(b)) return a.compare(b);
  while (a.size() > 1 && a[0] == '0') a.remove_prefix(1);
  while (b.size() > 1 && b[0] == '0') b.remove_prefix(1);
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

// A compatibility level, as in `{$compatibility_level} <level {3.6}`: up to three numbers.
using Level = std::array<int, 3>;

std::optional<Level> ParseLevel(std::string_view text) {
  Level level = {};
  for (std::size_t i = 0;; ++i) {
    if (i == level.size() || text.empty() || text[0] == '-') return std::nullopt;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, level[i]);
    if (error != std::errc{}) return std::nullopt;
    if (rest == end) return level;
    if (*rest != '.') return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()) + 1);
  }
}

class Expander {
 public:
  explicit Expander(const ParameterLookup& lookup) : lookup_(lookup) {}

  // Appends the expanded text to *out. All methods return false after an error. One that is
  // recoverable ends here: it costs the reference that it is in.
  bool Text(std::string_view text, int depth, std::string* out) {
    while (!text.empty()) {
      const std::size_t dollar = text.find('$');
      if (!Append(text.substr(0, dollar), out)) return false;
      if (dollar == std::string_view::npos) return true;
      text.remove_prefix(dollar + 1);
      if (!text.empty() && text[0] == '$') {
        if (!Append("$", out)) return false;
        text.remove_prefix(1);
        continue;
      }
      std::string_view expression;
      if (!text.empty() && (text[0] == '{' || text[0] == '(')) {
        const char close = text[0] == '{' ? '}' : ')';
        const auto end = FindClosing(text.substr(1), text[0], close);
        if (!end) {  // nobody knows where it was meant to end: the rest of this text goes with it
          Fail("a reference is not closed");
          *out += kMissing;
          return !exhausted_;
        }
        expression = text.substr(1, *end);
        text.remove_prefix(*end + 2);
      } else {
        std::size_t end = 0;
        while (end < text.size() && IsNameCharacter(text[end])) ++end;
        expression = text.substr(0, end);
        text.remove_prefix(end);
      }
      if (expression.empty()) {
        Fail("a \"$\" without a name behind it");
        *out += kMissing;
        continue;
      }
      const std::size_t before = out->size();
      if (Expression(expression, depth + 1, out)) continue;
      if (exhausted_) return false;
      out->resize(before);
      *out += kMissing;
    }
    return true;
  }

  std::string TakeError() { return std::move(error_); }

 private:
  // Nothing of the value is shown: it may be, or hold, a password.
  bool Fail(std::string_view what) {
    ++faults_;
    if (!error_.empty()) return false;  // the first one is told
    error_ = what;
    if (!inside_.empty()) error_ += ", in the value of " + inside_.back();
    return false;
  }

  // What is left of the text would cost too much.
  bool Exhaust(std::string_view what) {
    exhausted_ = true;
    return Fail(what);
  }

  bool Append(std::string_view text, std::string* out) {
    if (out->size() + text.size() > kLongest) return Exhaust("the result is too long");
    *out += text;
    return true;
  }

  // What stands between the brackets: a name or a comparison, then perhaps `?` or `:` and text.
  bool Expression(std::string_view expression, int depth, std::string* out) {
    if (++references_ > kMostReferences) return Exhaust("too many references");
    if (depth > kDeepest) return Fail("it nests too deeply");
    std::string_view rest = SkipBlanks(expression);
    std::optional<std::string> value;
    std::string name;
    bool is_name = false;
    if (!rest.empty() && rest[0] == '{') {
      if (!Comparison(&rest, depth, &value)) return false;
    } else {
      is_name = true;
      std::size_t end = 0;
      while (end < rest.size() && IsNameCharacter(rest[end])) ++end;
      if (end == 0) return Fail("a reference without a name");
      name = rest.substr(0, end);
      rest = SkipBlanks(rest.substr(end));
      if (!rest.empty() && rest[0] == '{') {
        is_name = false;
        if (!Call(name, &rest, depth, &value)) return false;
      } else if (!rest.empty() && rest[0] != '?' && rest[0] != ':') {
        return Fail("a reference to a name of other characters than letters, digits and _");
      } else {
        value = lookup_(name);
      }
    }
    if (rest.empty()) {
      if (!value || value->empty()) return true;
      return is_name ? Value(name, *value, depth, out) : Append(*value, out);
    }
    const bool holds = value && !value->empty();
    if (rest[0] == '?') {
      std::string_view then;
      rest.remove_prefix(1);
      if (!Operand(&rest, &then)) return false;
      if (holds && !Text(then, depth, out)) return false;
      if (rest.empty()) return true;
      if (rest[0] != ':') return Fail("in a reference, expected \":\" behind {text}");
    } else if (rest[0] != ':') {
      return Fail("in a reference, expected \"?\" or \":\"");
    }
    std::string_view otherwise;
    rest.remove_prefix(1);
    if (!Operand(&rest, &otherwise)) return false;
    if (!holds && !Text(otherwise, depth, out)) return false;
    return rest.empty() || Fail("in a reference, nothing may follow the last {text}");
  }

  // The value of a parameter, expanded in turn.
  bool Value(const std::string& name, const std::string& value, int depth, std::string* out) {
    if (std::ranges::find(inside_, name) != inside_.end()) return Fail("it refers to itself");
    inside_.push_back(name);
    const bool fine = Text(value, depth, out);
    inside_.pop_back();
    return fine;
  }

  // What comes of it decides something: with a reference missing it would be something else.
  bool Whole(std::string_view text, int depth, std::string* out) {
    const int before = faults_;
    return Text(text, depth, out) && faults_ == before;
  }

  // `name{text}`: a function of the text.
  bool Call(std::string_view name, std::string_view* rest, int depth,
            std::optional<std::string>* value) {
    std::string_view operand;
    if (!Braced(rest, &operand)) return false;
    std::string argument;
    if (!Whole(operand, depth, &argument)) return false;
    if (name == "domain_to_ascii") {
      *value = DomainToAscii(argument);
    } else if (name == "domain_to_utf8") {
      *value = DomainToUtf8(argument);
    } else {
      return Fail("a call of a function that is not known");
    }
    return value->has_value() || Fail("a function of domain names of what is none");
  }

  // `{text}`, after which more may come, or all of the rest as it is.
  bool Operand(std::string_view* rest, std::string_view* operand) {
    const std::string_view trimmed = SkipBlanks(*rest);
    if (!trimmed.empty() && trimmed[0] == '{') {
      *rest = trimmed;
      return Braced(rest, operand);
    }
    *operand = *rest;
    *rest = {};
    return true;
  }

  // *rest begins with "{"; afterwards it begins behind the "}" and blanks.
  bool Braced(std::string_view* rest, std::string_view* operand) {
    const auto end = FindClosing(rest->substr(1), '{', '}');
    if (!end) return Fail("in a reference, a \"{\" is not closed");
    *operand = rest->substr(1, *end);
    *rest = SkipBlanks(rest->substr(*end + 2));
    return true;
  }

  // `{text} == {text}`: the value is "true" or empty.
  bool Comparison(std::string_view* rest, int depth, std::optional<std::string>* value) {
    std::string_view left_text, right_text;
    if (!Braced(rest, &left_text)) return false;
    const std::size_t operator_end = std::min(rest->find_first_not_of("<>!="), rest->size());
    const std::string_view op = rest->substr(0, operator_end);
    if (op != "==" && op != "!=" && op != "<" && op != "<=" && op != ">=" && op != ">") {
      return Fail("in a reference, expected a comparison (==, !=, <, <=, >=, >)");
    }
    rest->remove_prefix(operator_end);
    const bool levels = rest->starts_with(kLevel);
    if (levels) rest->remove_prefix(kLevel.size());
    *rest = SkipBlanks(*rest);
    if (rest->empty() || (*rest)[0] != '{')
      return Fail("in a reference, expected {text} on both sides of a comparison");
    if (!Braced(rest, &right_text)) return false;
    std::string left, right;
    if (!Whole(left_text, depth, &left) || !Whole(right_text, depth, &right)) return false;
    int order = 0;
    if (levels) {
      const std::optional<Level> left_level = ParseLevel(left), right_level = ParseLevel(right);
      if (!left_level || !right_level) return Fail("in a reference, expected compatibility levels");
      order = *left_level < *right_level ? -1 : *left_level > *right_level;
    } else {
      order = Compare(left, right);
    }
    const bool holds = (op == "==" && order == 0) || (op == "!=" && order != 0) ||
                       (op == "<" && order < 0) || (op == "<=" && order <= 0) ||
                       (op == ">=" && order >= 0) || (op == ">" && order > 0);
    *value = holds ? "true" : "";
    return true;
  }

  const ParameterLookup& lookup_;
  int references_ = 0;
  std::vector<std::string> inside_;  // the parameters whose values are being expanded
  std::string error_;
  int faults_ = 0;
  bool exhausted_ = false;
};

}  // namespace

ParameterExpansion ExpandParameters(std::string_view text, const ParameterLookup& lookup) {
  ParameterExpansion result;
  Expander expander(lookup);
  if (!expander.Text(text, 0, &result.text)) result.text += kMissing;
  result.error = expander.TakeError();
  return result;
}

}  // namespace proxymux::config
