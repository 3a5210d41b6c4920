// An address of this machine that is far away: each packet to and from it takes the same time.
//
// What is sent to address() arrives, later, at listening_address(), where the server listens. It is
// a TUN device whose packets a thread of ours hands back with source and destination exchanged
// (which leaves their checksums right): so the server sees its clients at address(), too. Needs
// root, and a network of the test's own (EnterOwnNetwork). Errors throw std::runtime_error.
#pragma once

#include <chrono>
#include <string>
#include <thread>

namespace proxymux::harness {

class FarAddress {
 public:
  explicit FarAddress(std::chrono::milliseconds one_way);
  ~FarAddress();
  FarAddress(const FarAddress&) = delete;
  FarAddress& operator=(const FarAddress&) = delete;

  std::string address() const { return "10.232.0.2"; }
  std::string listening_address() const { return "10.232.0.1"; }

 private:
  void PassOn() const;

  const std::chrono::milliseconds one_way_;
  int device_ = -1;
  int end_[2];  // a pipe: the thread ends when it is closed
  std::thread thread_;
};

}  // namespace proxymux::harness
