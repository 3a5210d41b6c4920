// `proxymux bench` as a program, and what it says of a run.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/mail_world.h"

namespace proxymux::integration {

using Words = std::vector<std::string>;

inline harness::CommandResult Bench(Words words) {
  words.insert(words.begin(), {harness::ProxymuxBinary(), "bench"});
  return harness::RunCommand(words);
}

struct Outcome {
  int status;
  nlohmann::json document;
  std::string err;
};

inline Outcome BenchJson(Words words) {
  words.push_back("--json");
  const harness::CommandResult result = Bench(std::move(words));
  const nlohmann::json document = nlohmann::json::parse(result.out, nullptr, false);
  EXPECT_FALSE(document.is_discarded()) << result.out << result.err;
  return {result.status, document.is_discarded() ? nlohmann::json::object() : document, result.err};
}

}  // namespace proxymux::integration
