// A domain list may name a table of any type that Postfix has; the types that this machine's
// Postfix has are those that `postconf -m` tells, and each of them is asked beside Postfix itself.
#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/compared_domain_lists.h"

namespace proxymux::integration {
namespace {

// What the tables hold, one pair a line; and who is asked.
constexpr char kPairs[] = "a.example yes\nA.B.example yes\n";
const std::vector<std::string> kKeys = {"u@a.example",     "u@A.EXAMPLE", "u@b.example",
                                        "u@sub.a.example", "u@192.0.2.7", "u@root",
                                        "u@x@a.example"};

class DomainListTypes : public ComparedDomainLists {
 protected:
  std::set<std::string> TypesOfPostfix() {
    const std::string directory = world_.NewDirectory();
    std::filesystem::create_directory(directory);
    harness::WriteFile(directory + "/main.cf", "");
    std::istringstream words(harness::RunOrThrow({"/usr/sbin/postconf", "-c", directory, "-m"}));
    std::set<std::string> types;
    for (std::string type; words >> type;) types.insert(type);
    return types;
  }

  // A list of one table of that type. Nothing listens where it looks for a server.
  std::string ListOf(const std::string& type) const {
    static const std::map<std::string, std::string> without_file = {
        {"debug", "debug:inline:{a.example=yes}"},
        {"environ", "environ:x"},
        {"fail", "fail:x"},
        {"inline", "inline:{a.example=yes}"},
        {"internal", "internal:x"},
        {"nis", "nis:x"},
        {"pipemap", "pipemap:{inline:{a.example=x},inline:{x=yes}}"},
        {"randmap", "randmap:{yes,no}"},
        {"socketmap", "socketmap:inet:127.0.0.1:1:x"},
        {"static", "static:yes"},
        {"tcp", "tcp:127.0.0.1:1"},
        {"unionmap", "unionmap:{inline:{a.example=yes},inline:{b.example=x}}"},
        {"unix", "unix:passwd.byname"},
    };
    const auto found = without_file.find(type);
    return found != without_file.end() ? found->second : type + ":" + File(type);
  }

  // The file behind it, where there is one; false for a type that this test does not know.
  bool MakeTable(const std::string& type) {
    static const std::set<std::string> indexed = {"btree", "cdb", "dbm", "hash", "lmdb", "sdbm"};
    const std::map<std::string, std::string> files = {
        {"cidr", "192.0.2.0/24 yes\n"},
        {"memcache", "memcache = inet:127.0.0.1:1\nmax_try = 1\n"},
        {"pcre", "/^a\\.ex/ yes\n"},
        {"pgsql", harness::TableText(world_.Hosts(), "SELECT 'yes' WHERE '%s' = 'a.example'")},
        {"regexp", "/^a\\.ex/ yes\n"},
        {"texthash", kPairs},
    };
    if (const auto file = files.find(type); file != files.end()) {
      postfix_->WriteConfig(type, file->second, 0644);
    } else if (indexed.contains(type)) {
      postfix_->WriteConfig(type, kPairs, 0644);
      harness::RunOrThrow({"/usr/sbin/postmap", "-c", File(""), type + ":" + File(type)});
    } else if (ListOf(type) == type + ":" + File(type)) {
      return false;
    }
    return true;
  }
};

TEST_F(DomainListTypes, EachIsAnsweredAsPostfixDoes) {
  std::set<std::string> types = TypesOfPostfix();
  types.erase("proxy");  // the service itself
  // Clients of servers and libraries of their own.
  for (const char* type : {"ldap", "mongodb", "mysql", "sqlite"}) {
    if (types.erase(type) > 0) std::cout << type << ": not asked\n";
  }
  ASSERT_GT(types.size(), 15u);
  for (const char* type : {"cdb", "cidr", "hash", "inline", "lmdb", "pcre", "pgsql", "pipemap",
                           "regexp", "static", "texthash", "unionmap", "unix"}) {
    EXPECT_TRUE(types.contains(type)) << type << ": run scripts/setup";
  }
  for (const std::string& type : types) {
    Add(type + ".cf", ListOf(type));
    Add("not-" + type + ".cf", "!" + ListOf(type) + ", static:x");
  }
  Make();
  for (const std::string& type : types) {
    EXPECT_TRUE(MakeTable(type)) << "give this test a table of type " << type;
  }
  Start();
  for (const std::string& type : types) {
    SCOPED_TRACE(type);
    const int found = found_, not_found = not_found_, failed = failed_;
    // A tcp table is asked ten times, a second after the other.
    const bool slow = type == "tcp";
    Compare(type + ".cf", ListOf(type), slow ? std::vector<std::string>{kKeys[0]} : kKeys);
    static const std::set<std::string> empty = {"environ", "internal", "nis"};
    EXPECT_EQ(found_ == found, empty.contains(type) || failed_ > failed);
    if (!slow) Compare("not-" + type + ".cf", "!" + ListOf(type), kKeys);
    std::cout << type << ": " << found_ - found << " found, " << not_found_ - not_found
              << " not found, " << failed_ - failed << " failed\n";
  }
  EXPECT_GT(found_, 40);
  EXPECT_GT(not_found_, 40);
  EXPECT_GT(failed_, 4);
}

}  // namespace
}  // namespace proxymux::integration
