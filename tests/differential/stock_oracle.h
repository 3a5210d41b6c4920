// Stock's own client, asked directly: `postmap -q` on a pgsql: table.
//
// postmap ends at the first key that has an error, and what it printed before is lost. So the keys
// that are expected to be fine go in one batch, the others singly; a batch that dies is halved. A
// second map, static:MARK, answers what the first does not know, so that each key has a line.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace proxymux::differential {

struct DirectVerdict {
  enum class Outcome {
    kFound,
    kNotFound,
    kError,   // "query error": mail would be deferred
    kBroken,  // the program ended because of the table itself
  };
  Outcome outcome = Outcome::kNotFound;
  std::string value;
  std::string messages;  // all of standard error, when there was an error
};

class StockOracle {
 public:
  // `table` with its type: pgsql:/path/x.cf.
  StockOracle(std::string config_directory, std::string table)
      : config_directory_(std::move(config_directory)), table_(std::move(table)) {}

  // One verdict per key. `suspect` says which keys are expected to be errors; being wrong costs
  // time only.
  std::vector<DirectVerdict> Ask(const std::vector<std::string>& keys,
                                 const std::vector<bool>& suspect);

  std::size_t processes() const { return processes_; }

 private:
  struct Run;
  Run Start(const std::string& key_argument, const std::string& input);
  void AskBatch(const std::vector<std::string>& keys, const std::vector<std::size_t>& which,
                std::vector<DirectVerdict>& verdicts);
  DirectVerdict AskOne(const std::string& key);

  std::string config_directory_;
  std::string table_;
  std::size_t processes_ = 0;
};

}  // namespace proxymux::differential
