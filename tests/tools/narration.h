// What a demonstration says on standard output: numbered steps, and indented lines below them.
#pragma once

#include <cstdio>
#include <stdexcept>
#include <string>

namespace proxymux::tools {

class Narration {
 public:
  void Step(const std::string& text) {
    std::printf("\n%d. %s\n", ++step_, text.c_str());
    std::fflush(stdout);
  }

 private:
  int step_ = 0;
};

inline void Say(const std::string& text) {
  std::printf("   %s\n", text.c_str());
  std::fflush(stdout);
}

// What was shown did not come out as it should have: the end of the demonstration.
inline void Expect(bool condition, const std::string& otherwise) {
  if (!condition) throw std::runtime_error(otherwise);
}

}  // namespace proxymux::tools
