// The stock clients over proxymux for as long as asked: smtpd, cleanup, trivial-rewrite, local,
// virtual and postmap of the installed Postfix, against two mirrors, with bursts of many clients
// and a `postfix reload` now and then. Fails on a lookup that is not answered rightly, on mail that
// is not delivered, and on any line in the mail log above the level of information.
//
//   bazel run -c opt //tests/tools:soak -- --minutes 60

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "tests/harness/load_clients.h"
#include "tests/harness/load_on.h"
#include "tests/harness/mail_schema.h"
#include "tests/harness/smtp_client.h"
#include "tests/integration/mail_world.h"

namespace proxymux {
namespace {

using Clock = std::chrono::steady_clock;
using harness::AddressOf;
using harness::AliasOf;
using integration::MailWorld;

constexpr char kLocalRecipient[] = "nobody@local.example.net";

struct Totals {
  std::uint64_t messages = 0;
  std::uint64_t refused_recipients = 0;
  std::uint64_t postmap = 0;
  std::uint64_t lookups = 0;
  std::uint64_t reloads = 0;
  std::vector<std::string> faults;
};

// What the mail log complains of, but for the clock of a virtual machine, which cleanup(8) notices
// now and then.
std::vector<std::string> Complaints(const harness::PostfixInstance& postfix) {
  std::vector<std::string> complaints = postfix.Complaints();
  std::erase_if(complaints, [](const std::string& line) {
    return line.find("file system clock is") != std::string::npos ||
           line.find("resetting file time stamps") != std::string::npos;
  });
  return complaints;
}

std::size_t DeliveredIn(const std::string& directory) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file() && entry.path().parent_path().filename() == "new") ++files;
  }
  return files;
}

void OneRound(int round, harness::PostfixInstance& postfix, Totals* totals) {
  const int user = 1 + round % integration::kUsers;
  harness::SmtpClient client(postfix.smtp_port());
  // Every second message goes to a UNIX account, by way of local(8) and its mailbox_transport_maps.
  const std::string recipient = round % 2 == 0 ? AliasOf(user) : kLocalRecipient;
  const std::string answer =
      client.SendMessage("sender@elsewhere.example", {recipient}, "round " + std::to_string(round));
  if (answer.starts_with("250")) {
    ++totals->messages;
  } else {
    totals->faults.push_back("message to " + recipient + ": " + answer);
  }
  const auto found = postfix.Postmap(AliasOf(user), postfix.Table("pgsql-aliases.cf"));
  ++totals->postmap;
  if (found.out != AddressOf(user) + "\n") {
    totals->faults.push_back("postmap " + AliasOf(user) + ": " + found.out + found.err);
  }
  if (round % 10 != 0) return;

  harness::LoadOptions load_options = harness::LoadOn(postfix);
  load_options.seed = static_cast<std::uint32_t>(round);
  harness::LoadClients load(load_options);
  load.WaitForAnswers(5000);
  const harness::LoadReport report = load.Finish();
  totals->lookups += report.answered;
  if (report.Failed() != 0) totals->faults.push_back("burst: " + report.Text());
}

int Run(std::chrono::minutes duration) {
  MailWorld& world = MailWorld::Instance();
  const std::string directory = world.NewDirectory();
  auto options = world.Options(harness::Service::kInPlace);
  const std::string table = "proxy:pgsql:" + directory + "/etc/pgsql-relay.cf";
  options.main_cf.insert(options.main_cf.end(),
                         {"mydestination = local.example.net",
                          "local_recipient_maps = proxy:unix:passwd.byname " + table,
                          "mailbox_transport_maps = " + table,
                          "mail_spool_directory = " + directory + "/mail/spool/"});
  harness::PostfixInstance postfix(directory, options);
  std::filesystem::create_directories(directory + "/mail/spool");
  std::filesystem::permissions(directory + "/mail/spool",
                               std::filesystem::perms::all | std::filesystem::perms::sticky_bit);
  postfix.Start();
  Totals totals;
  const auto began = Clock::now();
  const auto end = began + duration;
  auto next_report = began + std::chrono::minutes(1);
  auto next_reload = began + std::chrono::minutes(5);
  for (int round = 0; Clock::now() < end; ++round) {
    OneRound(round, postfix, &totals);
    if (Clock::now() >= next_reload) {
      postfix.Reload();
      ++totals.reloads;
      next_reload += std::chrono::minutes(5);
    }
    if (Clock::now() >= next_report) {
      next_report += std::chrono::minutes(1);
      std::cout << std::chrono::duration_cast<std::chrono::minutes>(Clock::now() - began).count()
                << " min: messages=" << totals.messages << " postmap=" << totals.postmap
                << " lookups=" << totals.lookups << " reloads=" << totals.reloads
                << " faults=" << totals.faults.size()
                << " complaints=" << Complaints(postfix).size() << std::endl;
    }
    std::this_thread::sleep_for(
        std::chrono::milliseconds(200));  // the pace, not a wait for anything
  }
  // The queue must run empty: everything that was accepted arrives.
  const auto patience = Clock::now() + std::chrono::seconds(60);
  while (DeliveredIn(postfix.mail_directory()) < totals.messages && Clock::now() < patience) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  const std::size_t delivered = DeliveredIn(postfix.mail_directory());
  const std::vector<std::string> complaints = Complaints(postfix);
  postfix.Stop();
  for (const std::string& fault : totals.faults) std::cout << "fault: " << fault << "\n";
  for (const std::string& line : complaints) std::cout << "log: " << line << "\n";
  std::cout << "messages=" << totals.messages << " delivered=" << delivered
            << " postmap=" << totals.postmap << " lookups=" << totals.lookups
            << " reloads=" << totals.reloads << " faults=" << totals.faults.size()
            << " complaints=" << complaints.size() << std::endl;
  const bool good = totals.faults.empty() && complaints.empty() && delivered == totals.messages;
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace proxymux

int main(int argc, char** argv) {
  int minutes = 60;
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], "--minutes") == 0) minutes = std::atoi(argv[i + 1]);
  }
  if (minutes <= 0) {
    std::cerr << "usage: soak [--minutes N]\n";
    return EXIT_FAILURE;
  }
  return proxymux::Run(std::chrono::minutes(minutes));
}
