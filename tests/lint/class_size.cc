#include "tests/lint/class_size.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace proxymux::lint {
namespace {

struct Token {
  std::string_view text;
  std::size_t position = 0;

  bool operator==(std::string_view other) const { return text == other; }
  bool IsWord() const { return IsWordCharacter(text[0]); }
};

using Tokens = std::vector<Token>;

// Words, "::", "->" and single characters. A last token that is no text saves every look ahead from
// asking for the end.
Tokens Tokenize(std::string_view code) {
  Tokens tokens;
  bool line_is_empty = true;
  for (std::size_t i = 0; i < code.size();) {
    if (code[i] == '\n') line_is_empty = true;
    if (std::isspace(static_cast<unsigned char>(code[i])) != 0) {
      ++i;
      continue;
    }
    if (code[i] == '#' && line_is_empty) {
      while (i < code.size() && code[i] != '\n') i += code[i] == '\\' ? 2 : 1;
      continue;
    }
    line_is_empty = false;
    std::size_t end = i + 1;
    if (IsWordCharacter(code[i])) {
      while (end < code.size() && IsWordCharacter(code[end])) ++end;
    } else if (code.substr(i, 2) == "::" || code.substr(i, 2) == "->") {
      ++end;
    }
    tokens.push_back({code.substr(i, end - i), i});
    i = end;
  }
  tokens.push_back({"\n", code.size()});
  return tokens;
}

// One past the bracket that closes the one at `open`, or the end.
std::size_t AfterBrackets(const Tokens& tokens, std::size_t open) {
  const std::size_t last = tokens.size() - 1;
  std::size_t depth = 0;
  for (std::size_t i = open; i < last; ++i) {
    if (tokens[i] == "(" || tokens[i] == "[" || tokens[i] == "{") ++depth;
    if (tokens[i] == ")" || tokens[i] == "]" || tokens[i] == "}") --depth;
    if (depth == 0) return i + 1;
  }
  return last;
}

// One past the `>` that closes the `<` at `open`; one past `open` when it is no bracket.
std::size_t AfterAngles(const Tokens& tokens, std::size_t open) {
  std::size_t depth = 0;
  for (std::size_t i = open; i < tokens.size() - 1;) {
    if (tokens[i] == "(" || tokens[i] == "[" || tokens[i] == "{") {
      i = AfterBrackets(tokens, i);
      continue;
    }
    if (tokens[i] == ";" || tokens[i] == "}" || tokens[i] == ")") break;
    if (tokens[i] == "<") ++depth;
    if (tokens[i] == ">") --depth;
    ++i;
    if (depth == 0) return i;
  }
  return open + 1;
}

// A `class`, `struct`, `union` or `enum` at its keyword.
struct TypeHead {
  std::string_view name;  // the last part of it
  std::size_t body = 0;   // its `{`, 0 when this is no definition
  std::size_t next = 0;   // one past what was read
};

TypeHead ReadTypeHead(const Tokens& tokens, std::size_t keyword) {
  const bool is_enum = tokens[keyword] == "enum";
  TypeHead head;
  std::size_t i = keyword + 1;
  if (is_enum && (tokens[i] == "class" || tokens[i] == "struct")) ++i;
  for (;;) {
    if (tokens[i] == "[") {
      i = AfterBrackets(tokens, i);
    } else if (tokens[i] == "alignas") {
      i = AfterBrackets(tokens, i + 1);
    } else {
      break;
    }
  }
  while (tokens[i].IsWord() && tokens[i].text != "final") {
    head.name = tokens[i++].text;
    if (tokens[i] == "<") i = AfterAngles(tokens, i);
    if (tokens[i].text != "::") break;
    ++i;
  }
  head.next = i;
  if (tokens[i] == "final") ++i;
  if (tokens[i] == ":") {
    while (tokens[i].text != "{" && tokens[i].text != ";" && tokens[i].text != "\n") {
      i = tokens[i] == "<" ? AfterAngles(tokens, i) : i + 1;
    }
  }
  if (tokens[i] == "{") head.body = i;
  return head;
}

bool IsTypeKeyword(const Token& token) {
  return token == "class" || token == "struct" || token == "union" || token == "enum";
}

// Reads the members of one class, declaration by declaration.
class MemberCounter {
 public:
  MemberCounter(const Tokens& tokens, std::string_view class_name)
      : tokens_(tokens), class_name_(class_name) {}

  ClassSize Count(std::size_t body) {
    const std::size_t end = AfterBrackets(tokens_, body) - 1;
    for (at_ = body + 1; at_ < end;) {
      const std::size_t begin = at_;
      ReadDeclaration();
      if (at_ == begin) ++at_;  // text that is no C++ must not keep us
    }
    return size_;
  }

 private:
  // Past the end: the last token, which is no text.
  const Token& At(std::size_t index) const { return tokens_[std::min(index, tokens_.size() - 1)]; }
  const Token& Now() const { return At(at_); }
  const Token& Next() const { return At(at_ + 1); }
  const Token& Before() const { return At(at_ - 1); }
  bool AtEnd() const { return at_ + 1 >= tokens_.size() || Now() == "}"; }

  void ReadDeclaration() {
    if (Now() == ";") {
      ++at_;
    } else if (Next() == ":" && (Now() == "public" || Now() == "protected" || Now() == "private")) {
      at_ += 2;
    } else if (Now() == "using" || Now() == "typedef" || Now() == "static_assert" ||
               Now() == "friend") {
      SkipDeclaration();
    } else if (Now() == "template") {
      at_ = AfterAngles(tokens_, at_ + 1);
      ReadDeclaration();
    } else if (IsTypeKeyword(Now())) {
      ReadType();
    } else {
      ReadMember();
    }
  }

  // To the end of what is neither a function nor data: a `;`, or the body of a friend.
  void SkipDeclaration() {
    const bool may_have_body = Now() == "friend";
    while (!AtEnd() && Now().text != ";") {
      const bool body = may_have_body && Now() == "{";
      Step();
      if (body) return;
    }
    if (!AtEnd()) ++at_;
  }

  // A type, and the member that may be declared with it: `struct { int x; } point_;`.
  void ReadType() {
    const TypeHead head = ReadTypeHead(tokens_, at_);
    at_ = head.body != 0 ? AfterBrackets(tokens_, head.body) : head.next;
    if (Now() == ":" && head.body == 0) return SkipDeclaration();  // `enum class E : char;`
    if (Now() == ";") {
      ++at_;
    } else {
      ReadMember();
    }
  }

  // From the first token, or what stands behind a type, through the `;` or the function's body.
  void ReadMember() {
    bool is_function = false;
    bool counts = true;
    bool is_static = false;
    bool is_constexpr = false;
    bool in_value = false;  // behind the `=` of a declarator
    std::size_t declarators = 1;
    while (!AtEnd() && Now().text != ";") {
      is_static = is_static || Now() == "static";
      is_constexpr = is_constexpr || Now() == "constexpr";
      if (Now() == "operator" && !is_function) {
        counts = false;
        if (Next() == "(") ++at_;
        while (!AtEnd() && Next().text != "(") ++at_;
        ++at_;
        is_function = true;
        Step();
      } else if (Now() == "(" && !is_function && !in_value && !IsSpecifier(Before())) {
        is_function = Next().text != "*";  // `int (*pointer_)(int)` is data
        if (is_function && Before() == class_name_) counts = false;  // also of `~Name()`
        Step();
        if (!is_function && Now() == "(") Step();
      } else if (Now() == "=" && is_function) {
        ++at_;
        if (Now() == "default" || Now() == "delete") counts = false;
      } else if (Now() == "{" && is_function) {
        Step();
        return Add(is_function, counts, declarators);
      } else if (Now() == ":" && is_function) {
        ++at_;
        SkipInitializers();
      } else {
        if (Now() == "," && !is_function) ++declarators;
        in_value = Now() == "=" || (in_value && Now().text != ",");
        Step();
      }
    }
    if (!AtEnd()) ++at_;
    Add(is_function, is_function ? counts : !(is_static && is_constexpr), declarators);
  }

  void Add(bool is_function, bool counts, std::size_t declarators) {
    if (!counts) return;
    is_function ? size_.functions += 1 : size_.data += declarators;
  }

  // Of a constructor: `a_(1), b_{2}`, up to its body.
  void SkipInitializers() {
    do {
      if (Now() == ",") ++at_;
      while (!AtEnd() && Now().text != "(" && Now().text != "{") Step();
      Brackets();
      if (Now() == ".") at_ += 3;  // of a pack
    } while (Now() == ",");
  }

  static bool IsSpecifier(const Token& before) {
    return before == "alignas" || before == "decltype" || before == "explicit" ||
           before == "requires" || before == "__attribute__";
  }

  // One token, or all of a pair of brackets.
  void Brackets() {
    const bool opens = Now() == "(" || Now() == "[" || Now() == "{";
    at_ = opens ? AfterBrackets(tokens_, at_) : at_ + 1;
  }
  void Step() {
    if (Now() == "<" && Before().IsWord()) {
      at_ = AfterAngles(tokens_, at_);
    } else {
      Brackets();
    }
  }

  const Tokens& tokens_;
  std::string_view class_name_;
  std::size_t at_ = 0;
  ClassSize size_;
};

}  // namespace

std::vector<ClassSize> ClassSizes(const SourceText& source) {
  struct Open {
    std::string name;
    std::size_t end;
  };
  const Tokens tokens = Tokenize(source.code());
  std::vector<ClassSize> sizes;
  std::vector<Open> open;  // the classes that are being read, outermost first
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    while (!open.empty() && open.back().end <= i) open.pop_back();
    if (tokens[i].text != "class" && tokens[i].text != "struct") continue;
    if (i > 0 && (tokens[i - 1] == "enum" || tokens[i - 1] == "<" || tokens[i - 1] == ",")) {
      continue;  // an enum, or the parameter of a template
    }
    const TypeHead head = ReadTypeHead(tokens, i);
    if (head.body == 0) continue;
    ClassSize size = MemberCounter(tokens, head.name).Count(head.body);
    size.name = (open.empty() ? "" : open.back().name + "::") + std::string(head.name);
    size.line = source.LineOf(tokens[head.body].position);
    open.push_back({size.name, AfterBrackets(tokens, head.body)});
    sizes.push_back(std::move(size));
  }
  return sizes;
}

}  // namespace proxymux::lint
