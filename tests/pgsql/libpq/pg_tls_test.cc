// TLS records as a terminator in front of a server may send them: their ends are not those of what
// the server wrote.
#include <gtest/gtest.h>

#include "tests/harness/tls_server_end.h"
#include "tests/pgsql/libpq/pg_session.h"
#include "tests/pgsql/libpq/tcp_server.h"

namespace proxymux::pgsql {
namespace {

constexpr std::size_t kLargestRecord = 16384;  // RFC 8446, 5.1

std::string Number(std::size_t value, int bytes) {
  std::string text;
  while (bytes-- > 0) text += static_cast<char>(value >> (8 * bytes) & 0xff);
  return text;
}

// PostgreSQL, "Message Formats".
std::string Message(char type, const std::string& body) {
  return type + Number(body.size() + 4, 4) + body;
}

const std::string kParsed = Message('1', "");
const std::string kBound = Message('2', "");

// Text columns and one row.
std::string Row(const std::vector<std::string>& values) {
  std::string columns = Number(values.size(), 2);
  std::string row = Number(values.size(), 2);
  for (const std::string& value : values) {
    columns += "v" + std::string(7, '\0') + Number(25, 4) + std::string(6, '\xff') + Number(0, 2);
    row += Number(value.size(), 4) + value;
  }
  return Message('T', columns) + Message('D', row) + Message('C', std::string("SELECT 1") + '\0');
}

// One column, and the end of the batch.
std::string RowAndEnd(const std::string& value) { return Row({value}) + Message('Z', "I"); }

// What the connection asks first, about its session.
std::string CheckAnswered() { return kParsed + kBound + Row({"1", "read committed", ""}); }

// Answers the connection's own question, and one statement with these records; they arrive at once,
// and nothing after them.
class Terminator {
 public:
  explicit Terminator(const std::vector<std::string>& records) {
    const World& world = World::Get();
    server_.Serve([&world, records](harness::Socket client) {
      std::string in;
      client.Receive(in);  // SSLRequest
      client.Send("S");
      harness::TlsServerEnd tls(std::move(client), world.directory / "server.crt",
                                world.directory / "server.key");
      tls.Receive();  // StartupMessage
      tls.SendRecords({kWelcome});
      std::string asked;
      while (!asked.ends_with(Message('S', ""))) asked += tls.Receive();
      std::vector<std::string> all = {CheckAnswered()};
      all.insert(all.end(), records.begin(), records.end());
      tls.SendRecords(all);
      tls.WaitForEnd();
    });
  }
  ConnectPlan Plan() const {
    return PlanFor("127.0.0.1", std::to_string(server_.port()), "u", "", "postgres", "UTF8",
                   "require");
  }

 private:
  TcpServer server_;
};

// The value that comes of the records, or what went wrong.
std::string ValueOf(const std::vector<std::string>& records) {
  const Terminator terminator(records);
  Session session(terminator.Plan());
  if (!session.Settled() || !session.ready) return "no connection: " + session.failure.text;
  session.Send(0, "SELECT v");
  if (!session.connection->Sync()) return "nothing was sent";
  if (!session.Until([&] { return !session.results.empty() || session.lost; })) {
    return "the answer got stuck";
  }
  if (session.results.empty()) return "lost: " + session.reason;
  session.Until([&] { return session.all_answered > 0 || session.lost; });
  return session.all_answered > 0 ? session.results[0] : "its end got stuck";
}

std::vector<std::string> Cut(const std::string& text, std::size_t record) {
  std::vector<std::string> records;
  for (std::size_t at = 0; at < text.size(); at += record) {
    records.push_back(text.substr(at, record));
  }
  return records;
}

// A full record behind two small ones is more than libpq, which asks for 8 KiB at least, has room
// for when it comes to it.
TEST(TlsRecords, AFullOneBehindSmallOnesDoesNotGetStuck) {
  ASSERT_TRUE(World::Get().tls) << "openssl(1) is not there: run scripts/setup";
  const std::string value(kLargestRecord - RowAndEnd("").size(), 'x');
  EXPECT_EQ(ValueOf({kParsed, kBound, RowAndEnd(value)}), value);
}

TEST(TlsRecords, OfAnySizeInAnyNumberDoNotGetStuck) {
  ASSERT_TRUE(World::Get().tls) << "openssl(1) is not there: run scripts/setup";
  for (const std::size_t size : {20, 8000, 16300, 24000, 40000, 100000}) {
    const std::string value(size, 'y');
    const std::string row = RowAndEnd(value);
    for (const std::size_t small : {1, 2, 5}) {
      for (const std::size_t record : {std::size_t{1000}, std::size_t{9000}, kLargestRecord}) {
        std::vector<std::string> records = Cut(kParsed + kBound, small);
        for (std::string& part : Cut(row, record)) records.push_back(std::move(part));
        EXPECT_EQ(ValueOf(records), value)
            << size << " in records of " << record << " behind " << small;
      }
    }
  }
}

}  // namespace
}  // namespace proxymux::pgsql
