#include "tests/lint/class_size.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace proxymux::lint {

void PrintTo(const ClassSize& size, std::ostream* out) {
  *out << size.name << " at line " << size.line << ": " << size.functions << " functions, "
       << size.data << " data";
}

bool operator==(const ClassSize& a, const ClassSize& b) {
  return a.name == b.name && a.line == b.line && a.functions == b.functions && a.data == b.data;
}

namespace {

using Sizes = std::vector<ClassSize>;

Sizes Of(std::string_view text) { return ClassSizes(SourceText(text)); }

// The only class there is, called C, on one line.
Sizes Members(std::size_t functions, std::size_t data) { return {{"C", 1, functions, data}}; }

TEST(ClassSize, FunctionsAndData) {
  EXPECT_EQ(Of("class C {};"), Members(0, 0));
  EXPECT_EQ(Of("class C { public: int Get() const { return x_; } void Set(int x);\n"
               " private: int x_ = 0; };"),
            Members(2, 1));
  EXPECT_EQ(Of("struct C { int a, b = 2, c[3]; int bits : 3; int* p{nullptr}; };"), Members(0, 5));
  EXPECT_EQ(Of("struct C { virtual void F() = 0; virtual int G() const noexcept(true) override; "
               "auto H() -> int { return 1; } ; };"),
            Members(3, 0));
  EXPECT_EQ(Of("struct C { void F(int); void F(char) {} template <class T, int N = (1 > 0)> void "
               "F(T t); };"),
            Members(3, 0))
      << "each overload counts";
}

TEST(ClassSize, WhatIsNoMemberFunction) {
  EXPECT_EQ(Of("class C { C(); explicit C(int x) : a_(x), b_{x} { F(); } C(const C&) = delete;\n"
               " ~C() override; C& operator=(const C&) = default; bool operator==(C) const;\n"
               " int operator()(int) { return 1; } explicit operator bool() const;\n"
               " bool operator<(const C& o) const { return a_ < o.a_; }\n"
               " friend bool operator!=(C, C) { return true; } friend class D; friend void F();\n"
               " void G() = delete; int a_; int b_; };"),
            Members(0, 2));
  EXPECT_EQ(Of("struct C { template <typename... T> C(T... t) : Base<T>(t)..., x(1) {} int x; };"),
            Members(0, 1));
}

TEST(ClassSize, WhatIsNoDataMember) {
  EXPECT_EQ(Of("struct C { using A = std::vector<int>; typedef int B; static_assert(1 < 2);\n"
               " static constexpr int kMax = 3; class D; enum class E : char; enum F { kA, kB };\n"
               " struct G; };"),
            Members(0, 0));
  EXPECT_EQ(Of("struct C { static int count; const int x = 1; inline static char c = 'c'; };"),
            Members(0, 3));
}

TEST(ClassSize, ParenthesesThatMakeNoFunction) {
  EXPECT_EQ(Of("struct C { std::function<void(int, char)> on_end; std::map<int, std::vector<int>> "
               "m;\n int (*pointer)(int); int x = Make(1, 2); int y{Make(1)};\n"
               " std::size_t z = 1 < 2 ? F() : G(); alignas(64) int w; decltype(F()) v;\n"
               " std::function<int()> f = [] { return 1; }; [[nodiscard]] int u; };"),
            Members(0, 10));
  EXPECT_EQ(Of("struct C { std::function<void()> Get(std::function<int(int)> f = {}); };"),
            Members(1, 0));
}

TEST(ClassSize, ClassesInClassesAndFunctionsAreMeasuredForThemselves) {
  EXPECT_EQ(Of("class Outer {\n struct Inner { int a; int b; void F(); };\n struct { int x; } "
               "point_;\n struct timespec since_;\n enum Kind { kA, kB } kind_;\n Inner inner_;\n "
               "};\nvoid F() {\n struct Local { int a; };\n}\n"),
            (Sizes{{"Outer", 1, 0, 4},
                   {"Outer::Inner", 2, 1, 2},
                   {"Outer::", 3, 0, 1},
                   {"Local", 9, 0, 1}}));
}

TEST(ClassSize, HeadsOfAllKinds) {
  EXPECT_EQ(Of("template <class T>\nclass [[nodiscard]] A final : public B<T, (1 > 0)>, C {\n int "
               "a; };\nstruct Outer::Inner { int a; };\ntemplate <> struct A<int> { int a; };"),
            (Sizes{{"A", 2, 0, 1}, {"Inner", 4, 0, 1}, {"A", 5, 0, 1}}));
}

TEST(ClassSize, WhatIsNoDefinition) {
  EXPECT_EQ(Of("class C;\nstruct stat info {};\nstruct stat other = {};\nvoid F(struct stat* s) "
               "{}\nenum class E { kA };\ntemplate <class T, class U> void G() {}\n"
               "// class D { int x; };\nauto s = \"class D {};\";\n"),
            Sizes());
}

TEST(ClassSize, PreprocessorLinesAreNotThere) {
  EXPECT_EQ(Of("struct C {\n#if X(1) && \\\n  Y\n int a;\n#endif\n void F(); };"), Members(1, 1));
}

TEST(ClassSize, TextThatEndsTooSoonHasAnEnd) {
  for (std::string_view text :
       {"class", "class C", "class C {", "class C { int", "class C { int F(", "struct C : B<",
        "struct C { operator", "struct C { C() : a_", "struct C { ( }", "struct C { template",
        "struct C { enum"}) {
    EXPECT_LE(Of(text).size(), 1u) << text;
  }
}

}  // namespace
}  // namespace proxymux::lint
