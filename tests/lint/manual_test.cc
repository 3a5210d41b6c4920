// The manual page against the program: what `--help` names, proxymux(8) explains, and the other way
// round. The settings of proxymux.yaml and the metrics have tests of their own.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/harness/process.h"

namespace proxymux::lint {
namespace {

constexpr char kBinary[] = "proxy/proxymux";
constexpr char kManual[] = "docs/proxymux.8";

using Words = std::vector<std::string>;

std::string Join(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// What one `--help` text lists.
struct Help {
  std::set<std::string> options;  // "--listen", "-c"
  Words commands;
};

Help ReadHelp(const Words& command) {
  Words words = {kBinary};
  words.insert(words.end(), command.begin(), command.end());
  words.push_back("--help");
  const harness::CommandResult result = harness::RunCommand(words);
  EXPECT_EQ(result.status, 0) << Join(words) << ": " << result.err;
  Help help;
  std::string section;
  for (const std::string& line : Lines(result.out)) {
    if (line.ends_with(':')) {  // "Options:", and "OPTIONS:" from CLI11 2.5 on
      section = line;
      std::ranges::transform(section, section.begin(), [](char c) { return std::tolower(c); });
    }
    if (!line.starts_with("  ")) continue;
    std::istringstream words(line);
    std::string name;
    words >> name;
    // From CLI11 2.5 on names of one letter have a column of their own; explanations are further
    // right.
    if (line[2] == ' ' && !name.starts_with("--")) continue;
    if (section == "subcommands:") help.commands.push_back(name);
    if (section != "options:") continue;
    // "-c,--config-directory", newer ones with blanks between.
    for (; name.starts_with('-'); name.clear(), words >> name) {
      std::istringstream names(name.substr(0, name.find('=')));
      for (std::string each; std::getline(names, each, ',');) help.options.insert(each);
    }
  }
  return help;
}

// Every command that does something, by its words, with its options; {} is the program itself.
void CollectCommands(const Words& command, std::map<Words, std::set<std::string>>* commands) {
  const Help help = ReadHelp(command);
  if (help.commands.empty() || command.empty()) commands->emplace(command, help.options);
  for (const std::string& word : help.commands) {
    Words longer = command;
    longer.push_back(word);
    CollectCommands(longer, commands);
  }
}

std::map<Words, std::set<std::string>> Commands() {
  std::map<Words, std::set<std::string>> commands;
  CollectCommands({}, &commands);
  return commands;
}

std::string Manual() {
  std::ifstream file(kManual);
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << kManual << " cannot be read";
  return text.str();
}

// The part of COMMANDS about one command: from its item to that of the next.
std::string PartAbout(const std::string& manual, const Words& command) {
  const std::size_t begin = manual.find("\n.It Cm " + Join(command) + "\n");
  if (begin == std::string::npos) return {};
  const std::size_t next = manual.find("\n.It Cm ", begin + 1);
  const std::size_t section = manual.find("\n.Sh ", begin + 1);
  return manual.substr(begin, std::min(next, section) - begin);
}

// The options in the items of a list: `.It Fl c , Fl -config-directory Ar directory`.
std::set<std::string> OptionsIn(const std::string& part) {
  std::set<std::string> options;
  for (const std::string& line : Lines(part)) {
    if (!line.starts_with(".It Fl ")) continue;
    std::istringstream words(line);
    std::string before;
    for (std::string word; words >> word; before = word) {
      if (before == "Fl") options.insert("-" + word);
    }
  }
  return options;
}

TEST(Manual, EveryCommandHasAnItemAndStandsInTheSynopsis) {
  const std::string manual = Manual();
  const std::string synopsis = manual.substr(0, manual.find("\n.Sh DESCRIPTION"));
  const auto commands = Commands();
  EXPECT_GE(commands.size(), 5u) << "--help was not understood";
  for (const auto& [command, options] : commands) {
    if (command.empty()) continue;
    EXPECT_FALSE(PartAbout(manual, command).empty()) << Join(command) << " has no item";
    EXPECT_NE(synopsis.find("\n.Cm " + Join(command) + "\n"), std::string::npos)
        << Join(command) << " is not in the synopsis";
  }
}

TEST(Manual, EveryOptionIsExplainedWithItsCommandAndNoOther) {
  const std::string manual = Manual();
  for (auto [command, options] : Commands()) {
    if (command.empty()) continue;
    // Explained once, for all; and which service is meant with `ctl status`.
    for (const char* everywhere : {"-h", "--help"}) {
      EXPECT_EQ(options.erase(everywhere), 1u) << Join(command) << " " << everywhere;
    }
    if (command[0] == "ctl" && command[1] != "status") {
      for (const char* target : {"-c", "--config-directory", "--service", "--socket"}) {
        EXPECT_EQ(options.erase(target), 1u) << Join(command) << " " << target;
      }
    }
    EXPECT_EQ(OptionsIn(PartAbout(manual, command)), options) << Join(command);
  }
}

TEST(Manual, OptionsOfTheProgramItselfAreExplained) {
  const std::set<std::string> explained = OptionsIn(Manual());
  const auto commands = Commands();
  for (const std::string& option : commands.at({})) {
    EXPECT_TRUE(explained.contains(option)) << option;
  }
}

}  // namespace
}  // namespace proxymux::lint
