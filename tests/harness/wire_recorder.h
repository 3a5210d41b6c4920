// A relay between the clients of a UNIX socket and its server that writes down what passes, in the
// format of tests/golden.
//
// It takes the socket's name over: PATH is renamed to PATH.server, and clients of PATH get us,
// until destruction gives the name back. A thread of its own does the work.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/golden/transcript.h"
#include "tests/harness/deadline.h"

namespace proxymux::harness {

class WireRecorder {
 public:
  explicit WireRecorder(const std::string& path);
  ~WireRecorder();

  // Waits until every connection has its last request answered and nothing has passed for `quiet`.
  // False after `limit`.
  bool WaitUntilQuiet(milliseconds quiet = milliseconds(300), milliseconds limit = seconds(20));

  // What the connections so far have said, in the order of their acceptance; forgets it.
  // Connections that are open are cut off first, so that the next one starts a new transcript.
  std::vector<golden::Conversation> Take();

 private:
  struct Connection {
    int client;
    int server;
    std::size_t conversation;  // index into conversations_
  };
  void Run();
  void Accept();
  bool Pass(Connection& connection, int from, int to, golden::Sender sender);

  std::string path_;
  int listener_;
  int wake_[2];
  std::mutex mutex_;  // of everything below
  bool stop_ = false;
  std::vector<Connection> connections_;
  std::vector<golden::Conversation> conversations_;
  std::chrono::steady_clock::time_point last_passed_;
  std::thread thread_;
};

}  // namespace proxymux::harness
