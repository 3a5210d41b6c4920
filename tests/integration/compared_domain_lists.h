// Domain lists whose answers are held against those of Postfix itself.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/dict_flags.h"
#include "tests/harness/process.h"
#include "tests/harness/proxymap_client.h"
#include "tests/integration/domain_list_world.h"

namespace proxymux::integration {

class ComparedDomainLists : public DomainLists {
 protected:
  // Every key is asked twice: of `postmap -q KEY pgsql:...`, which opens the table and its members
  // itself, and of the service. Values are not compared: with a pgsql member stock puts that one's
  // result before its own. (A member that cannot be opened ends postmap whatever the key: that is
  // another test.) `list` is what messages say.
  void Compare(const std::string& file, const std::string& list,
               const std::vector<std::string>& keys) {
    std::string all_keys;
    for (const std::string& key : keys) all_keys += key + "\n";
    const std::string table = postfix_->Table(file);
    const harness::CommandResult batch = AskStock("-", table, all_keys);
    for (const std::string& key : keys) {
      // A batch ends at the first key that fails: then one by one, each of which takes a second.
      if (Failed(batch) && &key - keys.data() == 4) break;
      const auto one = Failed(batch) ? AskStock(key, table) : harness::CommandResult();
      const bool stock_found = Failed(batch)
                                   ? one.status == 0
                                   : batch.out.starts_with(key + "\t") ||
                                         batch.out.find("\n" + key + "\t") != std::string::npos;
      const harness::Answer ours = client_->Lookup(table, key, kFlags);
      const std::string what = list + " asked for " + key + ": stock \"" + batch.out + batch.err +
                               one.out + one.err + "\", ours " + Describe(ours);
      if (Failed(one)) {
        EXPECT_TRUE(ours.Is(protocol::Status::kRetry)) << what;
        ++failed_;
      } else if (stock_found) {
        EXPECT_TRUE(ours.Is(protocol::Status::kOk)) << what;
        ++found_;
      } else {
        EXPECT_TRUE(ours.Is(protocol::Status::kNoKey)) << what;
        ++not_found_;
      }
    }
  }

  int found_ = 0, not_found_ = 0, failed_ = 0;  // as stock says

 private:
  // The service folds the key, as postmap(1) does itself.
  static constexpr std::uint32_t kFlags = protocol::kFlagFixed | protocol::kFlagLock |
                                          protocol::kFlagFoldFix | protocol::kFlagUtf8Request;

  // It ends so at an error; a type may warn of something else when it is opened.
  static bool Failed(const harness::CommandResult& result) {
    return result.err.find("fatal: ") != std::string::npos;
  }
  harness::CommandResult AskStock(const std::string& key, const std::string& table,
                                  const std::string& input = "") {
    harness::CommandOptions options;
    options.input = input;
    return harness::RunCommand(
        {"/usr/sbin/postmap", "-c", postfix_->config_directory(), "-q", key, table}, options);
  }
};

}  // namespace proxymux::integration
