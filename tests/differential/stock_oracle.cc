#include "tests/differential/stock_oracle.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

#include "tests/harness/deadline.h"

namespace proxymux::differential {
namespace {

using Outcome = DirectVerdict::Outcome;

constexpr char kMark[] = "no-such-key-in-the-table";
constexpr char kFatal[] = "postmap: fatal: ";

struct Pipe {
  int read_end, write_end;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    read_end = ends[0];
    write_end = ends[1];
  }
  ~Pipe() {
    Close(read_end);
    Close(write_end);
  }
  static void Close(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
};

// Appends what is there; false at the end.
bool ReadSome(int fd, std::string& text) {
  char buffer[65536];
  const ssize_t count = ::read(fd, buffer, sizeof(buffer));
  if (count > 0) text.append(buffer, static_cast<std::size_t>(count));
  return count > 0;
}

}  // namespace

struct StockOracle::Run {
  std::string out, err;
  bool fatal = false;
};

// Like harness::RunCommand, but it does not sit out the second that every fatal error sleeps.
StockOracle::Run StockOracle::Start(const std::string& key_argument, const std::string& input) {
  ++processes_;
  Pipe in, out, err;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read_end, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write_end, 1);
  posix_spawn_file_actions_adddup2(&actions, err.write_end, 2);
  const std::string mark = std::string("static:") + kMark;
  const char* arguments[] = {
      "postmap",    "-c",   config_directory_.c_str(), "-q", key_argument.c_str(), table_.c_str(),
      mark.c_str(), nullptr};
  const char* environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C", nullptr};
  pid_t pid = 0;
  const int failure =
      ::posix_spawn(&pid, "/usr/sbin/postmap", &actions, nullptr,
                    const_cast<char* const*>(arguments), const_cast<char* const*>(environment));
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) throw std::runtime_error("postmap cannot be run: run scripts/setup");
  Pipe::Close(in.read_end);
  Pipe::Close(out.write_end);
  Pipe::Close(err.write_end);
  ::fcntl(in.write_end, F_SETFL, O_NONBLOCK);

  Run run;
  std::size_t sent = 0;
  const harness::Deadline deadline(harness::seconds(120));
  while (out.read_end >= 0 || err.read_end >= 0) {
    if (sent == input.size()) Pipe::Close(in.write_end);
    pollfd fds[3] = {
        {out.read_end, POLLIN, 0}, {err.read_end, POLLIN, 0}, {in.write_end, POLLOUT, 0}};
    if (::poll(fds, 3, deadline.Left()) <= 0) break;
    if (fds[0].revents != 0 && !ReadSome(out.read_end, run.out)) Pipe::Close(out.read_end);
    if (fds[1].revents != 0 && !ReadSome(err.read_end, run.err)) Pipe::Close(err.read_end);
    const std::size_t fatal = run.err.find(kFatal);
    run.fatal = fatal != std::string::npos && run.err.find('\n', fatal) != std::string::npos;
    if (run.fatal) break;
    if (fds[2].revents == 0) continue;
    const ssize_t count = ::write(in.write_end, input.data() + sent, input.size() - sent);
    if (count > 0) {
      sent += static_cast<std::size_t>(count);
    } else {
      sent = input.size();  // it does not read any more, and says why
    }
  }
  const bool in_time = run.fatal || !deadline.Passed();
  if (run.fatal || !in_time) ::kill(pid, SIGKILL);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (!in_time) throw std::runtime_error("postmap does not end: " + table_);
  if (!run.fatal && WIFSIGNALED(status)) throw std::runtime_error("postmap crashed: " + table_);
  return run;
}

std::vector<DirectVerdict> StockOracle::Ask(const std::vector<std::string>& keys,
                                            const std::vector<bool>& suspect) {
  std::vector<DirectVerdict> verdicts(keys.size());
  std::vector<std::size_t> batch;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    // What is not one line cannot be among others.
    if (!suspect[i] && keys[i].find('\n') == std::string::npos) batch.push_back(i);
  }
  AskBatch(keys, batch, verdicts);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!suspect[i] && keys[i].find('\n') == std::string::npos) continue;
    verdicts[i] = AskOne(keys[i]);
    if (verdicts[i].outcome != Outcome::kBroken) continue;
    // That does not depend on the key.
    return std::vector<DirectVerdict>(keys.size(), verdicts[i]);
  }
  return verdicts;
}

void StockOracle::AskBatch(const std::vector<std::string>& keys,
                           const std::vector<std::size_t>& which,
                           std::vector<DirectVerdict>& verdicts) {
  if (which.empty()) return;
  if (which.size() == 1) {
    verdicts[which[0]] = AskOne(keys[which[0]]);
    return;
  }
  std::string input;
  for (const std::size_t i : which) input += keys[i] + '\n';
  const Run run = Start("-", input);
  if (run.fatal) {
    const auto middle = which.begin() + static_cast<std::ptrdiff_t>(which.size() / 2);
    AskBatch(keys, {which.begin(), middle}, verdicts);
    AskBatch(keys, {middle, which.end()}, verdicts);
    return;
  }
  // A line for each key, but none for a key that is not UTF-8. A value may hold line ends itself.
  const auto begins_at = [&](std::size_t place, std::size_t from) {
    for (std::size_t n = from; n < which.size(); ++n) {
      const std::string& key = keys[which[n]];
      if (run.out.compare(place, key.size(), key) == 0 && run.out[place + key.size()] == '\t') {
        return n;
      }
    }
    return which.size();
  };
  std::size_t place = 0, n = begins_at(0, 0);
  while (place < run.out.size()) {
    if (n == which.size()) throw std::runtime_error("postmap prints what nobody asked: " + run.out);
    const std::size_t value = place + keys[which[n]].size() + 1;
    std::size_t end = run.out.find('\n', value), next = which.size();
    while (end != std::string::npos && end + 1 < run.out.size()) {
      next = begins_at(end + 1, n + 1);
      if (next < which.size()) break;
      end = run.out.find('\n', end + 1);
    }
    if (end == std::string::npos) throw std::runtime_error("postmap's last line has no end");
    const std::string text = run.out.substr(value, end - value);
    if (text != kMark) verdicts[which[n]] = {Outcome::kFound, text, ""};
    place = end + 1;
    n = next;
  }
}

DirectVerdict StockOracle::AskOne(const std::string& key) {
  // As an argument "-" would mean standard input.
  const bool as_argument = key.find('\n') != std::string::npos;
  const Run run = as_argument ? Start(key, "") : Start("-", key + '\n');
  if (run.fatal) {
    const bool query = run.err.find(": query error") != std::string::npos;
    return {query ? Outcome::kError : Outcome::kBroken, "", run.err};
  }
  const std::size_t skip = as_argument ? 0 : key.size() + 1;
  if (run.out.empty()) return {};  // not UTF-8
  if (run.out.size() <= skip) throw std::runtime_error("postmap prints less than the key");
  const std::string text = run.out.substr(skip, run.out.size() - skip - 1);
  if (text == kMark) return {};
  return {Outcome::kFound, text, ""};
}

}  // namespace proxymux::differential
