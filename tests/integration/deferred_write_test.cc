// A statement that writes has written only when its transaction was committed: until then nobody is
// told that it did.
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "tests/integration/one_server.h"

namespace proxymux::integration {
namespace {

using harness::Answer;
using harness::Describe;
using harness::ProxymapClient;

class DeferredWrite : public OneServerTest {
 protected:
  void SetUp() override {
    world_.Mend();
    Sql(R"(
      DROP TABLE IF EXISTS referring, referred, limited, ledger, readable;
      CREATE TABLE referred (id int PRIMARY KEY);
      INSERT INTO referred VALUES (1);
      CREATE TABLE referring (id int REFERENCES referred (id) DEFERRABLE INITIALLY DEFERRED);
      CREATE TABLE limited (k text);
      CREATE OR REPLACE FUNCTION limit_check() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
        IF NEW.k LIKE 'bad%' THEN RAISE EXCEPTION 'over the limit'; END IF;
        IF NEW.k LIKE 'again%' THEN RAISE SQLSTATE '40001'; END IF;
        RETURN NULL; END $f$;
      CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON limited
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION limit_check();
      CREATE TABLE ledger (k text, n bigint);
      CREATE TABLE readable (k text PRIMARY KEY, v text);
      INSERT INTO readable VALUES ('a', 'one');
      GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO mailreader;)");
    for (const char* mode : kEveryMode) {
      AddInMode(mode, std::string("limited-") + mode + ".cf",
                "INSERT INTO limited VALUES ('%s') RETURNING 'ok'");
    }
    Add("missing.cf", "INSERT INTO referring VALUES (99) RETURNING 'ok'");
    Add("present.cf", "INSERT INTO referring VALUES (1) RETURNING 'ok'");
    Add("script.cf",
        "INSERT INTO referring VALUES (1); INSERT INTO referring VALUES (99) RETURNING 'ok'");
    Add("called.cf", "SELECT write_limited('%s')");
    Add("ledger.cf", "INSERT INTO ledger SELECT '%s', count(*) FROM ledger RETURNING 'ok'");
    Add("readable.cf", "SELECT v FROM readable WHERE k = '%s'");
    Sql("CREATE OR REPLACE FUNCTION write_limited(k text) RETURNS text LANGUAGE sql AS"
        " $f$ INSERT INTO limited VALUES (k) RETURNING 'ok' $f$");
  }
  ~DeferredWrite() override { Sql("ALTER ROLE mailreader RESET default_transaction_isolation"); }

  void ExpectError(const std::string& file, const std::string& key) {
    const Answer answer = Look(file, key);
    EXPECT_TRUE(IsError(answer)) << file << " " << key << ": " << Describe(answer);
  }
  void ExpectOk(const std::string& file, const std::string& key) {
    const Answer answer = Look(file, key);
    EXPECT_TRUE(answer.IsValue("ok")) << file << " " << key << ": " << Describe(answer);
  }
};

TEST_F(DeferredWrite, ADeferredForeignKeyThatFails) {
  StartService("");
  ExpectError("missing.cf", "a@example.com");
  EXPECT_EQ(Sql("SELECT count(*) FROM referring"), "0");
  ExpectOk("present.cf", "a@example.com");
  EXPECT_EQ(Sql("SELECT count(*) FROM referring"), "1");
  ExpectError("missing.cf", "a@example.com");
  ExpectError("script.cf", "a@example.com");
  EXPECT_EQ(Sql("SELECT count(*) FROM referring"), "1");
}

TEST_F(DeferredWrite, AConstraintTriggerThatFails) {
  StartService("");
  for (const char* file : {"limited-auto.cf", "limited-legacy.cf", "limited-parameterized.cf",
                           "limited-prepared.cf", "called.cf"}) {
    const std::string name = file;
    ExpectOk(name, "good-" + name);
    ExpectError(name, "bad-" + name);
    ExpectError(name, "again-" + name);
    ExpectOk(name, "fine-" + name);
    EXPECT_EQ(
        Sql("SELECT string_agg(k, ' ' ORDER BY k DESC) FROM limited WHERE k LIKE '%" + name + "'"),
        "good-" + name + " fine-" + name);
  }
}

// Writers and readers at once, on few connections: who is told that a row was written finds it, and
// no reader is harmed by a neighbour that could not be committed.
TEST_F(DeferredWrite, WritersThatFailBesideReaders) {
  StartService("pool: {connections: 2}\n");
  constexpr int kClients = 12;
  constexpr int kRounds = 60;
  std::atomic<int> wrong_readers = 0, wrong_writers = 0;
  std::string first_wrong;
  std::mutex mutex;
  std::vector<std::thread> threads;
  for (int i = 0; i < kClients; ++i) {
    threads.emplace_back([&, i] {
      ProxymapClient client(postfix_->SocketPath());
      for (int round = 0; round < kRounds; ++round) {
        const std::string number = std::to_string(i) + "-" + std::to_string(round);
        const bool reader = i % 3 == 0, bad = i % 3 == 1;
        const std::string file = reader ? "readable.cf" : "limited-auto.cf";
        const std::string key = reader ? "a" : (bad ? "bad" : "good") + number;
        const Answer answer = client.Lookup(postfix_->Table(file), key);
        const bool right = reader ? answer.IsValue("one")
                           : bad  ? IsError(answer)
                                  : answer.IsValue("ok");
        if (right) continue;
        ++(reader ? wrong_readers : wrong_writers);
        const std::lock_guard lock(mutex);
        if (first_wrong.empty()) first_wrong = file + " " + key + ": " + Describe(answer);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong_readers, 0) << first_wrong;
  EXPECT_EQ(wrong_writers, 0) << first_wrong;
  EXPECT_EQ(Sql("SELECT count(*) FROM limited WHERE k LIKE 'bad%'"), "0");
  EXPECT_EQ(Sql("SELECT count(*) FROM limited"), std::to_string(kClients / 3 * kRounds));
}

// Each reads what the others write: under SERIALIZABLE many of them fail, most when they commit.
TEST_F(DeferredWrite, SerializableWriters) {
  Sql("ALTER ROLE mailreader SET default_transaction_isolation = 'serializable'");
  StartService("pool: {connections: 4}\n");
  constexpr int kClients = 8;
  constexpr int kRounds = 100;
  std::set<std::string> written;
  int errors = 0;
  std::string other;
  std::mutex mutex;
  std::vector<std::thread> threads;
  for (int i = 0; i < kClients; ++i) {
    threads.emplace_back([&, i] {
      ProxymapClient client(postfix_->SocketPath());
      for (int round = 0; round < kRounds; ++round) {
        const std::string key = std::to_string(i) + "-" + std::to_string(round);
        const Answer answer = client.Lookup(postfix_->Table("ledger.cf"), key);
        const std::lock_guard lock(mutex);
        if (answer.IsValue("ok")) written.insert(key);
        if (IsError(answer)) ++errors;
        if (!answer.IsValue("ok") && !IsError(answer)) other = Describe(answer);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(other, "");
  EXPECT_GT(written.size(), 0u);
  RecordProperty("errors", errors);
  int missing = 0;
  for (const std::string& key : written) {
    if (Sql("SELECT count(*) FROM ledger WHERE k = '" + key + "'") != "1") ++missing;
  }
  EXPECT_EQ(missing, 0) << "of " << written.size() << " that were answered OK; errors " << errors;
  EXPECT_EQ(Sql("SELECT count(*) FROM ledger"), std::to_string(written.size()))
      << "rows of lookups that were answered with an error, or twice";
}

}  // namespace
}  // namespace proxymux::integration
