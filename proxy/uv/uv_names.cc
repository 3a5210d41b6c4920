#include "proxy/uv/uv_names.h"

#include <netdb.h>

#include <utility>

namespace proxymux::proxy {
namespace {

pgsql::ResolveResult ToResult(int status, const addrinfo* addresses) {
  pgsql::ResolveResult result;
  if (status != 0) {
    result.error = uv_strerror(status);
    return result;
  }
  for (const addrinfo* address = addresses; address != nullptr; address = address->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(address->ai_addr, address->ai_addrlen, text, sizeof(text), nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      result.addresses.emplace_back(text);
    }
  }
  if (result.addresses.empty()) result.error = "the name has no address";
  return result;
}

// An answer that is there already, told at the end of the turn.
class LaterToken final : public pgsql::PendingCall {
 public:
  explicit LaterToken(std::shared_ptr<bool> wanted) : wanted_(std::move(wanted)) {}
  ~LaterToken() override { *wanted_ = false; }

 private:
  std::shared_ptr<bool> wanted_;
};

}  // namespace

class UvNames::Waiter final : public pgsql::PendingCall {
 public:
  Waiter(UvNames* names, Question* question, std::function<void(pgsql::ResolveResult)> done)
      : names_(names), question_(question), done_(std::move(done)) {
    question->waiters.push_back(this);
  }
  ~Waiter() override {
    if (question_ != nullptr) names_->Leave(question_, this);
  }
  // May destroy the waiter.
  void Tell(const pgsql::ResolveResult& result) {
    question_ = nullptr;
    const auto done = std::move(done_);
    done(result);
  }

 private:
  UvNames* const names_;
  Question* question_;
  std::function<void(pgsql::ResolveResult)> done_;
};

UvNames::~UvNames() {
  for (auto& [host, question] : open_) static_cast<void>(question.release());
}

std::unique_ptr<pgsql::PendingCall> UvNames::Later(pgsql::ResolveResult result,
                                                   std::function<void(pgsql::ResolveResult)> done) {
  auto wanted = std::make_shared<bool>(true);
  loop_->AtEndOfTurn([wanted, result = std::move(result), done = std::move(done)] {
    if (*wanted) done(result);
  });
  return std::make_unique<LaterToken>(std::move(wanted));
}

std::unique_ptr<pgsql::PendingCall> UvNames::Resolve(
    const std::string& host, std::function<void(pgsql::ResolveResult)> done) {
  std::erase_if(kept_, [now = loop_->Now()](const auto& kept) { return now >= kept.second.until; });
  if (auto kept = kept_.extract(host)) {
    return Later(std::move(kept.mapped().result), std::move(done));
  }
  const auto found = open_.find(host);
  if (found != open_.end()) {
    return std::make_unique<Waiter>(this, found->second.get(), std::move(done));
  }
  auto question = std::make_unique<Question>();
  question->names = this;
  question->host = host;
  question->request.data = question.get();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_family = AF_UNSPEC;
  const int result =
      uv_getaddrinfo(uv_, &question->request, &OnAnswer, host.c_str(), nullptr, &hints);
  // A name that libuv refuses (too long, no memory) is reported as any other failure.
  if (result != 0) return Later(ToResult(result, nullptr), std::move(done));
  Question* asked = open_.emplace(host, std::move(question)).first->second.get();
  return std::make_unique<Waiter>(this, asked, std::move(done));
}

// Nobody waits any more: what no thread has taken yet need not be asked.
void UvNames::Leave(Question* question, Waiter* waiter) {
  question->waiters.remove(waiter);
  const auto found = open_.find(question->host);
  const bool open = found != open_.end() && found->second.get() == question;
  if (!open || !question->waiters.empty()) return;
  if (uv_cancel(reinterpret_cast<uv_req_t*>(&question->request)) != 0) return;
  question->given_up = true;  // OnAnswer destroys it
  static_cast<void>(found->second.release());
  open_.erase(found);
}

void UvNames::OnAnswer(uv_getaddrinfo_t* request, int status, addrinfo* addresses) {
  auto* question = static_cast<Question*>(request->data);
  if (question->given_up) {
    delete question;
    return;
  }
  pgsql::ResolveResult result = ToResult(status, addresses);
  uv_freeaddrinfo(addresses);
  UvNames* const names = question->names;
  auto entry = names->open_.extract(question->host);
  names->Finish(std::move(entry.mapped()), std::move(result));
}

void UvNames::Finish(std::unique_ptr<Question> question, pgsql::ResolveResult result) {
  if (question->waiters.empty() && !result.addresses.empty()) {
    const pgsql::Time until = loop_->Now() + kKept;
    kept_.insert_or_assign(question->host, Kept{std::move(result), until});
    return;
  }
  // Who is told may make others leave.
  while (!question->waiters.empty()) {
    Waiter* waiter = question->waiters.front();
    question->waiters.pop_front();
    waiter->Tell(result);
  }
}

}  // namespace proxymux::proxy
