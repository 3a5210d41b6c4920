// Answers of a program that ends at the first key that it has no answer for.
#include "proxy/compare/key_answers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace proxymux::proxy {
namespace {

using Kind = KeyAnswer::Kind;
using Answers = std::vector<KeyAnswer>;

// As postmap(1) behaves: of what it had found before an error nothing is written.
struct Program {
  std::map<std::string, std::string> rows;
  std::vector<std::string> bad;
  int runs = 0;

  config::ProgramOutput Run(const std::string& input) {
    ++runs;
    config::ProgramOutput output;
    std::string_view rest = input;
    while (!rest.empty()) {
      const std::string key(rest.substr(0, rest.find('\n')));
      rest.remove_prefix(key.size() + 1);
      if (std::ranges::find(bad, key) != bad.end()) {
        return {"", "postmap: warning: x\npostmap: fatal: no luck with it\n",
                "exited with status 1"};
      }
      if (rows.contains(key)) output.out += key + "\t" + rows.at(key) + "\n";
    }
    if (output.out.empty()) output.failure = "exited with status 1";
    return output;
  }
  Answers Ask(const std::vector<std::string>& keys, std::size_t most_errors = 20) {
    return AnswersOf(
        keys, [this](const std::string& input) { return Run(input); }, "fatal:", most_errors);
  }
};

KeyAnswer Found(const std::string& value) { return {Kind::kFound, value}; }
const KeyAnswer kNone{Kind::kNotFound, ""};
const KeyAnswer kBad{Kind::kError, "warning: x; fatal: no luck with it"};

TEST(KeyAnswers, AreReadInOneRun) {
  Program program{{{"a", "1"}, {"c", "3\tx"}, {"e", ""}}, {}};
  EXPECT_EQ(program.Ask({"a", "b", "c", "d", "e"}),
            (Answers{Found("1"), kNone, Found("3\tx"), kNone, Found("")}));
  EXPECT_EQ(program.runs, 1);
}

TEST(KeyAnswers, NothingFoundIsNoError) {
  Program program;
  EXPECT_EQ(program.Ask({"a", "b"}), (Answers{kNone, kNone}));
  EXPECT_EQ(program.Ask({}), Answers{});
  EXPECT_EQ(program.runs, 1);
}

TEST(KeyAnswers, AValueOfSeveralLines) {
  Program program{{{"a", "1\n2\n"}, {"b", "3"}}, {}};
  EXPECT_EQ(program.Ask({"a", "b"}), (Answers{Found("1\n2\n"), Found("3")}));
}

TEST(KeyAnswers, TheKeyThatItEndsAtIsFound) {
  Program program{{{"a", "1"}, {"h", "8"}}, {"c", "g"}};
  EXPECT_EQ(program.Ask({"a", "b", "c", "d", "e", "f", "g", "h"}),
            (Answers{Found("1"), kNone, kBad, kNone, kNone, kNone, kBad, Found("8")}));
}

TEST(KeyAnswers, AProgramThatHasNoneIsNotAskedForEach) {
  Program program;
  std::vector<std::string> keys;
  for (int i = 0; i < 1000; ++i) keys.push_back("k" + std::to_string(i));
  program.bad = keys;
  const Answers answers = program.Ask(keys, 2);
  EXPECT_EQ(std::ranges::count(answers, kBad), 2);
  EXPECT_EQ(std::ranges::count(answers, Kind::kNotAsked, &KeyAnswer::kind), 998);
  EXPECT_LT(program.runs, 30);
}

TEST(KeyAnswers, AProgramThatHangsIsNotRunForHalves) {
  int runs = 0;
  const auto hangs = [&runs](const std::string&) {
    ++runs;
    return config::ProgramOutput{"", "", "took longer than 60000 ms"};
  };
  const Answers answers = AnswersOf({"a", "b", "c"}, hangs, "fatal:");
  EXPECT_EQ(std::ranges::count(answers, Kind::kError, &KeyAnswer::kind), 3);
  EXPECT_EQ(runs, 1);
}

TEST(KeyAnswers, AFailureWithoutAWordIsOne) {
  const auto answers = AnswersOf(
      {"a"},
      [](const std::string&) {
        return config::ProgramOutput{"", "", "timed out"};
      },
      "x");
  EXPECT_EQ(answers, (Answers{{Kind::kError, "timed out"}}));
}

}  // namespace
}  // namespace proxymux::proxy
