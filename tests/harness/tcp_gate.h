// A TCP gate on 127.0.0.1 in front of a PostgreSQL server (or anything on a port of 127.0.0.1): it
// passes bytes on, and on command misbehaves as networks and broken servers do.
//
// What a row's value says cannot be told from what it should say, so garbage never changes a value
// and leaves the rest of the message and those behind it as they were. A thread of its own does the
// work, one poll(2) for all connections. Throws std::runtime_error when it cannot listen.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/harness/deadline.h"

namespace proxymux::harness {

class TcpGate {
 public:
  enum class Ending {
    kSilence,    // stays open, nothing passes any more, either way
    kClose,      // FIN
    kReset,      // RST
    kHalfClose,  // FIN to the client; what the client sends still reaches the server
  };
  // Where a connection ends: when so many bytes of the server's have passed, or in the middle of
  // the next row.
  struct Stop {
    Ending ending = Ending::kSilence;
    std::size_t after = 0;
    bool in_row = false;
  };
  enum class Newcomers {
    kServed,
    kIgnored,  // accepted, and that is all
    kRefused,  // nobody listens
  };
  enum class Damage {
    kNoise,   // from a random byte on, until the connection ends, random bytes
    kType,    // a message has another type of the protocol
    kLength,  // a bit of a message's length is another
  };
  struct Garbage {
    Damage damage = Damage::kNoise;
    double share = 1;  // of the messages (kNoise: of what one read brings) that this happens to
    std::uint32_t seed = 1;
    // kType: only messages of this type, and what they become; '\0': any.
    char type = '\0';
    char becomes = '\0';
  };
  struct Delays {
    // Mean time between two, of exponential distribution: each hits what the next read brings from
    // the server; what follows keeps its place.
    milliseconds every{200};
    milliseconds time{50};
    std::uint32_t seed = 1;
  };

  explicit TcpGate(int server_port);
  ~TcpGate();

  // Commands. They hold for all connections, those to come as well, until Open().
  void Open();  // everything passes, also what a silence held back; a stream of noise stays one
  void StopAt(const Stop& stop);
  void Send(const Garbage& garbage);
  void Delay(const Delays& delays);
  // Connections to come are told to be served by process 1, 2 and so on, as some poolers count.
  void CountProcesses();
  void SetNewcomers(Newcomers newcomers);
  // What clients send is passed on in pieces of that many bytes at most.
  void SetPieces(std::size_t bytes);
  // The connections that there are, and no others.
  void Cut(Ending ending);

  int port() const { return port_; }
  std::string TcpHost() const { return "127.0.0.1:" + std::to_string(port_); }

  // Just now.
  int connections() const { return open_; }
  int noisy_connections() const { return noisy_; }  // that get nothing but noise
  // Since the beginning.
  std::uint64_t accepted() const { return accepted_; }
  std::uint64_t rows() const { return rows_; }        // that the server sent
  std::uint64_t damaged() const { return damaged_; }  // messages, or connections that became noise
  std::uint64_t ended() const { return ended_; }      // connections, by an Ending
  std::uint64_t delayed() const { return delayed_; }

 private:
  struct Connection;
  using Time = std::chrono::steady_clock::time_point;

  template <typename Change>
  void Command(Change change);
  void Run();
  void Listen(bool on);
  void Accept();
  bool Connect(Connection& connection) const;
  // False when the connection is over.
  bool Serve(Connection& connection, short client, short server, Time now);
  void FromServer(Connection& connection, std::string piece, Time now);
  bool ToClient(Connection& connection, Time now);
  bool End(Connection& connection, Ending ending);
  void AddGarbage(Connection& connection, std::string& piece);
  bool Happens(double share);
  void ScheduleDelay(Time now);
  char OtherType(char type);
  int Timeout(Time now) const;

  const int server_port_;
  int port_ = 0;
  int listener_ = -1;  // while it refuses, none
  int wake_[2];
  std::mutex mutex_;  // of everything below but the counters
  bool stop_thread_ = false;
  std::optional<Stop> stop_;
  std::optional<Garbage> garbage_;
  std::optional<Delays> delays_;
  Time next_delay_{};
  std::optional<std::uint32_t> last_process_;  // that was told, when they are counted
  std::size_t piece_ = std::string_view::npos;
  Newcomers newcomers_ = Newcomers::kServed;
  std::mt19937 random_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::atomic<int> open_ = 0;
  std::atomic<int> noisy_ = 0;
  std::atomic<std::uint64_t> accepted_ = 0, rows_ = 0, damaged_ = 0, ended_ = 0, delayed_ = 0;
  std::thread thread_;
};

}  // namespace proxymux::harness
