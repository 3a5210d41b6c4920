#include "pgsql/table/domain_filter.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "pgsql/sql/sql_lexer.h"

namespace proxymux::pgsql {
namespace {

using Verdict = DomainFilter::Verdict;
using Answer = DomainFilter::TableAnswer;
using Files = std::map<std::string, std::string>;

auto Compile(std::vector<std::string> members, Files files = {}) {
  return DomainFilter::Compile(
      members,
      [files](const std::string& path, std::string* error) -> std::optional<std::string> {
        const auto found = files.find(path);
        if (found != files.end()) return found->second;
        *error = "No such file or directory";
        return std::nullopt;
      },
      [](std::string_view text) { return LowerAscii(text); });
}
DomainFilter Compiled(std::vector<std::string> members, Files files = {}) {
  auto result = Compile(std::move(members), std::move(files));
  EXPECT_TRUE(std::holds_alternative<DomainFilter>(result));
  return std::get<DomainFilter>(std::move(result));
}
Verdict Ask(const DomainFilter& filter, std::string_view domain) {
  return filter.Evaluate(domain).verdict;
}

TEST(DomainFilter, WithoutAListEverythingMatches) {
  EXPECT_TRUE(DomainFilter().unrestricted());
  EXPECT_TRUE(Compiled({}).unrestricted());
  EXPECT_EQ(Ask(Compiled({}), ""), Verdict::kMatch);
}

TEST(DomainFilter, NamesAreFoldedAndWhole) {
  const DomainFilter filter = Compiled({"Example.COM", ".dot.org"});
  EXPECT_FALSE(filter.unrestricted());
  EXPECT_EQ(Ask(filter, "example.com"), Verdict::kMatch);
  EXPECT_EQ(Ask(filter, "mail.example.com"), Verdict::kNoMatch);
  EXPECT_EQ(Ask(filter, "dot.org"), Verdict::kNoMatch);
  EXPECT_EQ(Ask(filter, "sub.dot.org"), Verdict::kNoMatch);
  EXPECT_EQ(Ask(filter, ""), Verdict::kNoMatch);
}

TEST(DomainFilter, TheFirstMatchDecides) {
  const DomainFilter filter = Compiled({"a.org", "!a.org", "!b.org", "b.org", "!!c.org"});
  EXPECT_EQ(Ask(filter, "a.org"), Verdict::kMatch);
  EXPECT_EQ(Ask(filter, "b.org"), Verdict::kNoMatch);
  EXPECT_EQ(Ask(filter, "c.org"), Verdict::kMatch);
}

TEST(DomainFilter, AListOfExclusionsMatchesNothing) {
  EXPECT_EQ(Ask(Compiled({"!a.org"}), "b.org"), Verdict::kNoMatch);
}

TEST(DomainFilter, FilesHoldMembersOverManyLines) {
  const DomainFilter filter =
      Compiled({"/list"}, {{"/list",
                            "# a.org\nB.org, c.org\n\n  !d.org\te.org\r\nf.org # g.org\n"
                            "  # h.org\n/more"},
                           {"/more", "i.org"}});
  for (const char* domain : {"b.org", "c.org", "e.org", "f.org", "i.org"})
    EXPECT_EQ(Ask(filter, domain), Verdict::kMatch) << domain;
  for (const char* domain : {"a.org", "d.org", "g.org", "h.org", "#"})
    EXPECT_EQ(Ask(filter, domain), Verdict::kNoMatch) << domain;
  EXPECT_EQ(filter.files(), (std::vector<std::string>{"/list", "/more"}));
  EXPECT_EQ(filter.warnings().size(), 2u);  // what stands behind the two late '#'
}

TEST(DomainFilter, AnExclusionTurnsAFilesMembersRound) {
  const DomainFilter filter = Compiled({"!/list", "c.org", "a.org"}, {{"/list", "a.org !b.org"}});
  EXPECT_EQ(Ask(filter, "a.org"), Verdict::kNoMatch);
  EXPECT_EQ(Ask(filter, "b.org"), Verdict::kMatch);
  EXPECT_EQ(Ask(filter, "c.org"), Verdict::kMatch);
}

TEST(DomainFilter, AFileThatCannotBeReadIsUnavailableWhereItWouldDecide) {
  const DomainFilter filter = Compiled({"a.org", "/nofile", "b.org"});
  EXPECT_EQ(Ask(filter, "a.org"), Verdict::kMatch);
  const DomainFilter::Step step = filter.Evaluate("b.org");
  EXPECT_EQ(step.verdict, Verdict::kUnavailable);
  EXPECT_EQ(step.text, "/nofile: No such file or directory");
  EXPECT_EQ(filter.warnings().size(), 1u);
}

TEST(DomainFilter, AFileThatNamesItselfEnds) {
  const DomainFilter filter = Compiled({"/loop"}, {{"/loop", "a.org /loop"}});
  EXPECT_EQ(Ask(filter, "a.org"), Verdict::kMatch);
  EXPECT_EQ(Ask(filter, "b.org"), Verdict::kUnavailable);
}

TEST(DomainFilter, SixteenFilesMayNameEachOther) {
  Files files;
  for (int i = 0; i < 16; ++i) {
    files["/" + std::to_string(i)] = i < 15 ? "/" + std::to_string(i + 1) : "a.org";
  }
  EXPECT_EQ(Ask(Compiled({"/0"}, files), "a.org"), Verdict::kMatch);
  files["/15"] = "/16";
  files["/16"] = "a.org";
  EXPECT_EQ(Ask(Compiled({"/0"}, files), "a.org"), Verdict::kUnavailable);
}

TEST(DomainFilter, ABraceThatWasNotOpenedClosesNothing) {
  const DomainFilter filter = Compiled({"a.org} {b.org, c.org} d.org"});
  EXPECT_EQ(Ask(filter, "a.org}"), Verdict::kMatch);
  EXPECT_EQ(Ask(filter, "{b.org, c.org}"), Verdict::kMatch);
  EXPECT_EQ(Ask(filter, "d.org"), Verdict::kMatch);
}

TEST(DomainFilter, TablesAreAskedStepByStep) {
  const DomainFilter filter =
      Compiled({"a.org", "hash:/etc/A", "!inline:{b.org=x, c.org=y}", "d.org"});
  EXPECT_EQ(filter.Tables(),
            (std::vector<std::string>{"hash:/etc/A", "inline:{b.org=x, c.org=y}"}));
  EXPECT_EQ(Ask(filter, "a.org"), Verdict::kMatch);

  const DomainFilter::Step first = filter.Evaluate("d.org");
  ASSERT_EQ(first.verdict, Verdict::kNeedTable);
  EXPECT_EQ(first.text, "hash:/etc/A");
  EXPECT_EQ(filter.Resume(first, Answer::kFound, "d.org").verdict, Verdict::kMatch);
  EXPECT_EQ(filter.Resume(first, Answer::kFailed, "d.org").verdict, Verdict::kUnavailable);

  const DomainFilter::Step second = filter.Resume(first, Answer::kNotFound, "d.org");
  ASSERT_EQ(second.verdict, Verdict::kNeedTable);
  EXPECT_EQ(second.text, "inline:{b.org=x, c.org=y}");
  EXPECT_EQ(filter.Resume(second, Answer::kFound, "d.org").verdict, Verdict::kNoMatch);
  EXPECT_EQ(filter.Resume(second, Answer::kNotFound, "d.org").verdict, Verdict::kMatch);
}

TEST(DomainFilter, AnAddressInBracketsIsNoTable) {
  EXPECT_EQ(Ask(Compiled({"[ipv6:::1]"}), "[ipv6:::1]"), Verdict::kMatch);
}

TEST(DomainFilter, ACommentInTheSettingEndsIt) {
  const DomainFilter filter = Compiled({"a.org", "#foo", "b.org"});
  EXPECT_EQ(Ask(filter, "a.org"), Verdict::kMatch);
  EXPECT_EQ(Ask(filter, "b.org"), Verdict::kNoMatch);
  EXPECT_EQ(filter.warnings().size(), 1u);
}

TEST(DomainFilter, AnExclusionOfNothingIsAnError) {
  auto result = Compile({"!", "a.org", "/list"}, {{"/list", "!!"}});
  ASSERT_TRUE(std::holds_alternative<std::vector<std::string>>(result));
  const auto& errors = std::get<std::vector<std::string>>(result);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_NE(errors[1].find("/list: "), std::string::npos);
}

}  // namespace
}  // namespace proxymux::pgsql
