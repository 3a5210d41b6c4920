// Names to addresses: the system's resolver, on libuv's threads, since it blocks (for ten seconds
// and more when the name server does not answer).
//
// A name is asked for once at a time. Who asks for it meanwhile waits for the same answer, so a
// name that is retried for hours holds one thread, and other names do not wait behind a backlog. An
// answer that came when nobody waited any more is kept for the next who asks within kKept: a name
// server that is slower than connect_timeout is of use all the same. Other answers are not kept:
// the address of a host may change.
//
// A question that still has a thread when this object is destroyed stays in memory: the thread
// writes there.
#pragma once

#include <uv.h>

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "pgsql/runtime/event_loop.h"

namespace proxymux::proxy {

class UvNames {
 public:
  static constexpr pgsql::Duration kKept = std::chrono::seconds(5);

  // `loop` runs on `uv` and outlives this object.
  UvNames(uv_loop_t* uv, pgsql::EventLoop* loop) : uv_(uv), loop_(loop) {}
  ~UvNames();
  UvNames(const UvNames&) = delete;
  UvNames& operator=(const UvNames&) = delete;

  // As pgsql::EventLoop::Resolve.
  std::unique_ptr<pgsql::PendingCall> Resolve(const std::string& host,
                                              std::function<void(pgsql::ResolveResult)> done);

 private:
  class Waiter;
  struct Question {
    UvNames* names;
    std::string host;
    uv_getaddrinfo_t request;
    std::list<Waiter*> waiters;
    bool given_up = false;  // before a thread took it
  };
  struct Kept {
    pgsql::ResolveResult result;
    pgsql::Time until;
  };

  std::unique_ptr<pgsql::PendingCall> Later(pgsql::ResolveResult result,
                                            std::function<void(pgsql::ResolveResult)> done);
  static void OnAnswer(uv_getaddrinfo_t* request, int status, addrinfo* addresses);
  void Finish(std::unique_ptr<Question> question, pgsql::ResolveResult result);
  void Leave(Question* question, Waiter* waiter);

  uv_loop_t* const uv_;
  pgsql::EventLoop* const loop_;
  std::map<std::string, std::unique_ptr<Question>> open_;
  std::map<std::string, Kept> kept_;
};

}  // namespace proxymux::proxy
