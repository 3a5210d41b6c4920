// The connections of a load generator: opens them at a pace that the service's listen queue
// bears, reads the greeting, finds attribute lists in what arrives, and opens a connection again
// when it has ended.
//
// A connection costs one epoll registration, one send(2) and one recv(2) for each lookup, and no
// allocation once it stands: the bytes of all connections are read into one buffer, and replies
// are taken apart there; only half a list is kept.
//
// Owns the descriptors and handles; the loop must run once more after Close().
#pragma once

#include <sys/un.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/attribute_codec.h"
#include "proxy/uv/uv_handles.h"

namespace proxymux::proxy {

class UvBenchConnections {
 public:
  // How a connection ended, seen from a request that waits for its answer.
  enum class End {
    kClosed,  // by the service, which had read all we sent
    kReset,   // by the service, which had not
    kOurs,    // by us: what arrived was no list in form
  };

  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void OnConnected(std::size_t client) = 0;  // greeted, if there is a greeting
    virtual void OnReply(std::size_t client, const protocol::AttributeList& reply) = 0;
    // Another connection is opened soon. Not called from Send().
    virtual void OnDisconnected(std::size_t client, End end) = 0;
  };

  // `path` is of a UNIX socket; names that are too long are an error of every attempt.
  UvBenchConnections(uv_loop_t* loop, const std::string& path, bool greeting, std::size_t clients,
                     Listener* listener);

  // The time from one connect to the next; 0, the default: as fast as the listen queue bears.
  void SetInterval(std::int64_t nanoseconds) { interval_ns_ = nanoseconds; }
  void Open();
  void Close();  // nobody is told

  // Sends a whole request. False: the service has closed; the connection is given up, another
  // one is opened soon.
  bool Send(std::size_t client, std::string_view bytes);
  // Gives the client's connection up, since what came on it was no answer. The listener is told
  // (kOurs) at once.
  void Drop(std::size_t client);

  bool IsConnected(std::size_t client) const { return clients_[client].state == State::kConnected; }
  std::uint64_t connects() const { return connects_; }
  // Why the last attempt failed; empty: it did not, or there was none. A listen queue that is full
  // is no failure.
  const std::string& last_error() const { return last_error_; }

 private:
  enum class State { kApart, kGreeting, kConnected };
  struct Client {
    State state = State::kApart;
    int fd = -1;
    UvPoll poll;
    std::string pending;  // half a list
  };

  void OpenWaiting();
  bool IsDue();                      // the next connect, as the interval has it
  bool OpenOne(std::size_t client);  // false: later
  void OnReadable(std::size_t client);
  bool Take(std::size_t client, std::string_view bytes);
  void Give(std::size_t client);  // the connection up, and back into the queue
  void RetrySoon();

  uv_loop_t* loop_;
  std::string path_;
  bool greeting_;
  Listener* listener_;
  sockaddr_un address_{};
  std::vector<Client> clients_;
  std::deque<std::size_t> waiting_;  // to be opened
  std::size_t greeted_soon_ = 0;     // open, not greeted yet
  std::int64_t interval_ns_ = 0;
  std::int64_t next_ = 0;  // when the next connect is due
  UvTimer retry_;
  bool retrying_ = false;
  std::unique_ptr<char[]> buffer_;
  std::uint64_t connects_ = 0;
  std::string last_error_;
};

}  // namespace proxymux::proxy
