// Makes the directories of a Postfix instance, runs the tests as user postfix and tidies up.
#include "tests/proxy/relay/uv_relay_stock_fixture.h"

namespace proxymux::proxy {
namespace {

void PrepareDirectories() {
  std::string pattern = "/tmp/relay-XXXXXX";
  g_root = mkdtemp(pattern.data());
  const passwd* const postfix = getpwnam("postfix");
  for (const char* name : {"/etc", "/queue", "/queue/private", "/queue/pid", "/data", "/tables"}) {
    std::filesystem::create_directory(g_root + name);
  }
  chmod(g_root.c_str(), 0755);
  for (const char* name : {"/data", "/queue/private", "/tables"}) {
    if (chown((g_root + name).c_str(), postfix->pw_uid, postfix->pw_gid) != 0) abort();
  }
  std::ofstream(g_root + "/etc/main.cf")
      << "compatibility_level = 3.6\nmail_owner = postfix\nmyhostname = relay.example\n"
      << "queue_directory = " << g_root << "/queue\ndata_directory = " << g_root << "/data\n"
      << "daemon_directory = " << harness::TheInstalledPostfix().daemon_directory
      << "\nproxy_read_maps =\n";
  std::ofstream(g_root + "/etc/table") << "key value\nother thing\nthird one\n";
  // Postfix waits up to two seconds for files that were written just now.
  const timeval hour_ago[2] = {{time(nullptr) - 3600, 0}, {time(nullptr) - 3600, 0}};
  utimes((g_root + "/etc/main.cf").c_str(), hour_ago);
  utimes((g_root + "/etc/table").c_str(), hour_ago);
}

// Runs the tests in a child that has become user postfix, as the relay does; the parent tidies up
// as root.
int RunAsPostfix() {
  const pid_t child = fork();
  if (child == 0) {
    const passwd* const postfix = getpwnam("postfix");
    if (initgroups("postfix", postfix->pw_gid) != 0 || setgid(postfix->pw_gid) != 0 ||
        setuid(postfix->pw_uid) != 0) {
      _exit(1);
    }
    signal(SIGPIPE, SIG_IGN);  // as the relay asks of its process
    const int result = RUN_ALL_TESTS();
    std::cout.flush();
    exit(result);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) std::cerr << "ended by signal " << WTERMSIG(status) << "\n";
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace
}  // namespace proxymux::proxy

int main(int argc, char** argv) {
  // The test writes as user postfix, who cannot where Bazel wants its report; Bazel then makes one
  // itself.
  testing::GTEST_FLAG(output) = "";
  unsetenv("TEST_PREMATURE_EXIT_FILE");
  testing::InitGoogleTest(&argc, argv);
  if (geteuid() != 0) {
    std::cerr << "needs root: the relay's processes are of user postfix\n";
    return 1;
  }
  proxymux::proxy::PrepareDirectories();
  const int result = proxymux::proxy::RunAsPostfix();
  std::filesystem::remove_all(proxymux::proxy::g_root);
  return result;
}
