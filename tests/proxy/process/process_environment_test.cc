#include "proxy/process/process_environment.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace proxymux::proxy {
namespace {

// Of Postfix 3.7.
constexpr char kDefault[] =
    "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ XAUTHORITY DISPLAY LANG=C POSTLOG_SERVICE "
    "POSTLOG_HOSTNAME";

TEST(ImportedEnvironment, IsWhatIsNamedAndNothingElse) {
  const Environment from = {{"HOME", "/root"},          {"TZ", "Europe/Berlin"},
                            {"PGSSLROOTCERT", "/root"}, {"PGOPTIONS", "-c search_path=x"},
                            {"LANG", "de_DE.UTF-8"},    {"MAIL_CONFIG", "/etc/postfix-out"},
                            {"TZDIR", "/nowhere"},      {"PATH", "/home/caller/bin"}};
  EXPECT_EQ(
      ImportedEnvironment(kDefault, from),
      (Environment{{"LANG", "C"}, {"MAIL_CONFIG", "/etc/postfix-out"}, {"TZ", "Europe/Berlin"}}));
  EXPECT_EQ(ImportedEnvironment("", from), Environment());
}

TEST(ImportedEnvironment, EntriesAreSeparatedByBlanksAndCommasAndMayStandInBraces) {
  const Environment from = {{"TZ", "UTC"}, {"KRB5CCNAME", "KCM:"}};
  EXPECT_EQ(
      ImportedEnvironment(", TZ,KRB5CCNAME\n\t{ A = b c } {TZ}, B= {C=d", from),
      (Environment{{"A", "b c"}, {"B", ""}, {"C", "d"}, {"KRB5CCNAME", "KCM:"}, {"TZ", "UTC"}}));
  EXPECT_EQ(ImportedEnvironment("=x {} {=y}", from), Environment());
}

TEST(ProcessEnvironment, IsReplacedWhole) {
  const Environment before = ProcessEnvironment();
  setenv("PGSERVICEFILE", "/home/caller/.pg_service.conf", 1);
  EXPECT_EQ(ProcessEnvironment().at("PGSERVICEFILE"), "/home/caller/.pg_service.conf");
  const Environment after = {{"LANG", "C"}, {"TZ", "UTC"}};
  SetProcessEnvironment(after);
  EXPECT_EQ(ProcessEnvironment(), after);
  EXPECT_EQ(std::getenv("PGSERVICEFILE"), nullptr);
  EXPECT_EQ(std::getenv("HOME"), nullptr);
  SetProcessEnvironment({});
  EXPECT_EQ(ProcessEnvironment(), Environment());
  SetProcessEnvironment(before);
}

}  // namespace
}  // namespace proxymux::proxy
