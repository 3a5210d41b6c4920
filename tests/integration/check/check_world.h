// `proxymux check` on the files of a Postfix that does not run, with one mistake in them at a time.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/integration/mail_world.h"

namespace proxymux::integration {

class CheckWorld : public testing::Test {
 protected:
  using Words = std::vector<std::string>;
  using Service = harness::Service;

  explicit CheckWorld(Service service = Service::kInPlace)
      : postfix_(world_.NewDirectory(), world_.Options(service)) {}

  std::string Path(const std::string& name) const {
    return postfix_.config_directory() + "/" + name;
  }
  std::string Text(const std::string& name) const { return harness::ReadFile(Path(name)); }
  void Append(const std::string& name, const std::string& text) {
    postfix_.WriteConfig(name, Text(name) + text, 0644);
  }
  // Further lines of main.cf.
  void Set(const Words& lines) {
    harness::PostfixInstance::Options options = postfix_.options();
    options.main_cf = lines;
    postfix_.WriteMainCf(options);
  }
  // In the file of that name; the text must be there.
  void Replace(const std::string& name, const std::string& text, const std::string& with) {
    std::string whole = Text(name);
    const std::size_t at = whole.find(text);
    ASSERT_NE(at, std::string::npos) << whole;
    postfix_.WriteConfig(name, whole.replace(at, text.size(), with));
  }
  // The file of an approved table.
  void WriteTable(const std::string& text) { postfix_.WriteConfig(kTable, text); }
  void WriteTable(const std::string& hosts, const std::string& query,
                  const std::string& more = "") {
    WriteTable(harness::TableText(hosts, query, more));
  }

  harness::CommandResult Run(Words words) const {
    Words command = {harness::ProxymuxBinary(), "check", "-c", postfix_.config_directory()};
    command.insert(command.end(), words.begin(), words.end());
    harness::CommandResult result = harness::RunCommand(command);
    EXPECT_THAT(result.out + result.err, testing::Not(testing::HasSubstr(harness::kMailPassword)));
    return result;
  }
  harness::CommandResult Offline() const { return Run({"--offline"}); }
  harness::CommandResult Connected() const { return Run({"--connect"}); }

  // Of the table's file, in that line.
  std::string InTable(int line, const std::string& severity) const {
    return Path(kTable) + ":" + std::to_string(line) + ": " + severity + ": ";
  }

  static constexpr char kTable[] = "pgsql-relay.cf";
  static constexpr char kQuery[] = "SELECT transport FROM relay WHERE domain = '%s'";

  MailWorld& world_ = MailWorld::Instance();
  harness::PostfixInstance postfix_;  // configured, never started
};

}  // namespace proxymux::integration
