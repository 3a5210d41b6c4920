// Records what the installed Postfix's own programs and its stock proxymap say to each other, into
// one file per conversation.
//
//   capture_golden DIRECTORY
//
// The directory is filled for the release that is installed (tests/golden/postfix-3.7 for Debian
// 12). Names of this run's temporary directory become /etc/postfix, so that a second run writes the
// same files.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/golden/transcript.h"
#include "tests/harness/mail_schema.h"
#include "tests/harness/postfix_instance.h"
#include "tests/harness/postgres_cluster.h"
#include "tests/harness/smtp_client.h"
#include "tests/harness/temp_directory.h"
#include "tests/harness/wire_recorder.h"

namespace {

using namespace proxymux::harness;  // NOLINT: a program, not a library
namespace golden = proxymux::golden;

class Capture {
 public:
  explicit Capture(std::string target)
      : target_(std::move(target)),
        cluster_(directory_ / "pg"),
        postfix_(directory_ / "pf", MakeOptions()) {}

  int Run() {
    cluster_.Start();
    CreateMailDatabase(cluster_);
    postfix_.Start();
    WireRecorder recorder(postfix_.SocketPath());
    recorder_ = &recorder;
    CapturePostmap();
    CaptureSmtp();
    return 0;
  }

 private:
  PostfixInstance::Options MakeOptions() {
    PostfixInstance::Options options;
    options.tables = MailTables(cluster_.TcpHost());
    // Stock leaves a host alone for a minute after a failed query: the table that provokes one gets
    // a name for it of its own.
    for (auto& table : options.tables) {
      if (table.name == "pgsql-id.cf") {
        table.text = TableText("localhost:" + std::to_string(cluster_.port()),
                               "SELECT address FROM mailbox WHERE id = '%s'");
      }
    }
    options.main_cf = {"smtpd_sender_login_maps = proxy:" + std::string("pgsql:") +
                           directory_.path() + "/pf/etc/pgsql-aliases.cf",
                       "relay_domains = relay.example.org",
                       // A stock process lets one client's flags leak into the next one's replies:
                       // one client each.
                       "max_use = 1"};
    return options;
  }

  std::string Neutral(std::string text) const {
    const auto replace = [&](const std::string& from, const std::string& to) {
      for (auto at = text.find(from); at != std::string::npos;
           at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
      }
    };
    replace(postfix_.config_directory(), "/etc/postfix");
    return text;
  }

  void Write(const std::string& name, const std::string& title) {
    if (!recorder_->WaitUntilQuiet()) throw std::runtime_error(name + ": a request got no answer");
    std::vector<golden::Conversation> conversations = recorder_->Take();
    std::erase_if(conversations, [](const golden::Conversation& c) { return c.turns.empty(); });
    std::string text = "# " + Neutral(title) + "\n";
    for (const auto& conversation : conversations) {
      text += "# connection " + std::to_string(conversation.number) + "\n";
      for (const auto& turn : conversation.turns) {
        text += turn.sender == golden::Sender::kClient ? "C " : "S ";
        text += golden::Escape(Neutral(turn.bytes)) + "\n";
      }
    }
    WriteFile(target_ + "/" + name + ".txt", text);
    std::printf("%s: %zu connection(s)\n", name.c_str(), conversations.size());
  }

  static std::string Outcome(const CommandResult& result) {
    return " -> exit " + std::to_string(result.status) + ", out " + golden::Escape(result.out);
  }

  void Postmap(const std::string& name, const std::vector<std::string>& options,
               const std::string& key, const std::string& table, const std::string& input = "") {
    std::vector<std::string> command = {"/usr/sbin/postmap", "-c", postfix_.config_directory()};
    std::string title = "postmap";
    for (const auto& option : options) {
      command.push_back(option);
      title += " " + option;
    }
    command.insert(command.end(), {"-q", key, "proxy:" + table});
    title += " -q " + key + " proxy:" + table;
    CommandOptions how;
    how.input = input;
    if (!input.empty()) title += " <<" + golden::Escape(input);
    Write(name, title + Outcome(RunCommand(command, how)));
  }

  // The setting is off for the client only, which reads a main.cf of its own.
  void PostmapWithoutSmtputf8(const std::string& table) {
    const std::string client = directory_ / "client";
    std::filesystem::create_directory(client);
    WriteFile(client + "/main.cf",
              ReadFile(postfix_.config_directory() + "/main.cf") + "smtputf8_enable = no\n");
    const std::string key = "USER1@example1.com";
    const CommandResult result =
        RunCommand({"/usr/sbin/postmap", "-c", client, "-q", key, "proxy:" + table});
    Write("smtputf8-off", "postmap -q " + key + " proxy:" + table + Outcome(result));
  }

  void CapturePostmap() {
    const std::string aliases = postfix_.Table("pgsql-aliases.cf");
    Postmap("hit", {}, "user1@example1.com", aliases);
    Postmap("miss", {}, "nobody@example1.com", aliases);
    Postmap("mixed-case", {}, "USER1@Example1.COM", aliases);
    Postmap("no-fold", {"-f"}, "USER1@Example1.COM", aliases);
    Postmap("quote-key", {}, "o'brien\\x@example1.com", aliases);
    Postmap("utf8-key", {}, "J\xc3\x96RG@example1.com", aliases);
    Postmap("invalid-utf8-key", {},
            "us\xff"
            "er@example1.com",
            aliases);
    PostmapWithoutSmtputf8(aliases);
    Postmap("batch-of-three", {}, "-", aliases,
            "user1@example1.com\nuser2@example2.com\nnobody@x\n");
    Postmap("unix-passwd", {}, "root", "unix:passwd.byname");
    Postmap("query-error", {}, "abc", postfix_.Table("pgsql-id.cf"));
    Postmap("unapproved", {}, "x", postfix_.Table("other.cf"));
    Postmap("several-values", {}, "list@example0.com", aliases);
    Postmap("domain-suppressed", {}, "user1@example1.com", postfix_.Table("pgsql-mailboxes.cf"));
    Postmap("result-format", {}, "box1@store.example.net", postfix_.Table("pgsql-transport.cf"));
  }

  // One SMTP session and everything it leads to, up to the line in the log that ends it.
  void CaptureSmtp() {
    {
      SmtpClient smtp(postfix_.smtp_port());
      smtp.Command("EHLO client.example.org");
      smtp.Command("MAIL FROM:<sender@example.org>");
      const std::string good = smtp.Command("RCPT TO:<user3@example3.com>");
      const std::string bad = smtp.Command("RCPT TO:<nobody@example3.com>");
      smtp.Command("QUIT");
      Write("smtpd-virtual-alias", "smtpd, trivial-rewrite: RCPT TO:<user3@example3.com> -> " +
                                       good + "; RCPT TO:<nobody@example3.com> -> " + bad);
    }
    {
      SmtpClient smtp(postfix_.smtp_port());
      smtp.Command("EHLO client.example.org");
      smtp.Command("MAIL FROM:<sender@example.org>");
      const std::string good = smtp.Command("RCPT TO:<relay1@relay.example.org>");
      const std::string bad = smtp.Command("RCPT TO:<relay0@relay.example.org>");
      smtp.Command("QUIT");
      Write("smtpd-relay-recipient",
            "smtpd, trivial-rewrite: RCPT TO:<relay1@relay.example.org> -> " + good +
                "; RCPT TO:<relay0@relay.example.org> -> " + bad);
    }
    const std::size_t mark = postfix_.LogMark();
    const std::string answer =
        SmtpClient(postfix_.smtp_port())
            .SendMessage("sender@example.org", {"user5@example5.com"}, "hello");
    if (!postfix_.WaitForLog("status=sent", mark)) throw std::runtime_error(postfix_.Log());
    Write("message-delivered",
          "smtpd, cleanup, trivial-rewrite, virtual: a message to user5@example5.com -> " +
              answer.substr(0, 14));
  }

  std::string target_;
  TempDirectory directory_;
  PostgresCluster cluster_;
  PostfixInstance postfix_;
  WireRecorder* recorder_ = nullptr;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: capture_golden DIRECTORY\n");
    return 2;
  }
  try {
    return Capture(argv[1]).Run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "capture_golden: %s\n", error.what());
    return 1;
  }
}
