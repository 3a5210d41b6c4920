#include "tests/differential/neighbours.h"

namespace proxymux::differential {
namespace {

using Kind = Neighbour::Kind;

const std::vector<std::string> kAny = {"a@example.com", "b@example.com"};
const std::vector<std::string> kGood = {"good@example.com", "nobody@example.com"};
const std::vector<std::string> kBoxes = {"user@example.com", "hidden@example.com",
                                         "nobody@example.com"};
const std::vector<std::string> kDoor = {"door@example.com"};

std::vector<Neighbour> Quiet() {
  const auto quiet = [](const char* name, const char* query, std::vector<std::string> keys,
                        const char* more = "") {
    return Neighbour{name, Kind::kQuiet, query, std::move(keys), more};
  };
  return {
      quiet("good", "SELECT goto FROM address_book WHERE address = '%s'", kGood),
      quiet(
          "good-text", "SELECT goto FROM address_book WHERE address = '%s' LIMIT 1",
          {"good@example.com", "nobody@example.com", "back\\slash@example.com", "it's@example.com"},
          "statement_mode = legacy\n"),
      quiet("good-prepared", "SELECT goto FROM address_book WHERE address = '%s'",
            {"good@example.com", "nobody@example.com", "back\\slash@example.com"},
            "statement_mode = prepared\n"),
      quiet("good-script", "SELECT 1; SELECT goto FROM address_book WHERE address = '%s'", kGood),
      quiet("accents", "SELECT goto FROM address_book WHERE address = '%s'",
            {"gr\xc3\xbcn@example.com"}),
      quiet("secured", "SELECT goto FROM boxes WHERE address = '%s'", kBoxes),
      quiet("secured-text", "SELECT goto FROM boxes WHERE address = '%s'", kBoxes,
            "statement_mode = legacy\n"),
      quiet("secured-view", "SELECT goto FROM open_boxes WHERE address = '%s'", kBoxes),
      quiet("shared", "SELECT goto FROM shared_boxes WHERE address = '%s'", kBoxes),
      quiet("journal", "INSERT INTO plain_journal VALUES ('%s') RETURNING 'written'", kAny),
      quiet("dates",
            "SELECT '2026-02-03'::date || ' ' || timestamptz '2026-02-03 12:00Z' "
            "WHERE '%s' <> ''",
            kAny),
      quiet("who", "SELECT current_user || ' ' || current_setting('search_path') WHERE '%s' <> ''",
            kAny),
      quiet("tenant",
            "SELECT 'tenant ' || coalesce(current_setting('app.tenant', true), '') "
            "WHERE '%s' <> ''",
            kAny),
      quiet("locks-seen",
            "SELECT 'locks ' || count(*) FROM pg_locks WHERE locktype = 'advisory' "
            "AND pid = pg_backend_pid() AND '%s' <> ''",
            kAny),
      quiet("channels-seen",
            "SELECT 'channels ' || count(*) FROM pg_listening_channels() "
            "WHERE '%s' <> ''",
            kAny),
      quiet("sequence-seen", "SELECT lastval() WHERE '%s' <> ''", {"a@example.com"}),
      quiet("broken", "SELECT goto FROM no_such_table WHERE address = '%s'", {"a@example.com"}),
  };
}

std::vector<Neighbour> LastingChanges() {
  const auto change = [](const char* name, const char* query,
                         std::vector<std::string> keys = kAny) {
    return Neighbour{name, Kind::kSession, query, std::move(keys)};
  };
  return {
      change("path-stays", "SELECT near.path_stays('%s')"),
      change("path-in-sql", "SELECT near.path_in_sql('%s')"),
      change("path-by-set", "SELECT near.path_by_set('%s')"),
      change("path-by-update", "SELECT near.path_by_update('%s')"),
      change("path-said-stable", "SELECT near.path_said_stable('%s')"),
      change("path-said-immutable", "SELECT near.path_said_immutable('%s')"),
      change("path-built-in", "SELECT set_config('search_path', 'evil, public', '%s' = '')"),
      change("path-unicode",
             "SELECT U&\"set\\005fconfig\"('search_path', 'evil, public', '%s' = '')"),
      change("path-settings",
             "UPDATE pg_settings SET setting = 'evil, public' "
             "WHERE name = 'search_path' AND '%s' <> ''; SELECT 'set'"),
      // The rows of a rule's SELECT, which stock takes for the answer, do not come outside of the
      // simple protocol.
      {"path-settings-alone", Kind::kSession,
       "UPDATE pg_settings SET setting = 'evil, public' "
       "WHERE name = 'search_path' AND '%s' <> ''",
       kAny, "", false},
      change("path-by-xml",
             "SELECT 'xml' FROM query_to_xml('select set_config(''search_path'', "
             "''evil, public'', false)', true, false, '') x WHERE x IS NOT NULL AND '%s' <> ''"),
      change("path-by-view", "SELECT goto FROM near.door_volatile WHERE address = '%s'", kDoor),
      change("path-by-operator", "SELECT 'same' WHERE '%s'::text OPERATOR(near.===) 'x'::text"),
      change("path-by-cast", "SELECT ('%s'::text::near.marked).goto"),
      change("path-by-domain", "SELECT '%s'::near.checked"),
      change("path-by-default", "INSERT INTO near.by_default VALUES ('%s') RETURNING 'written'"),
      change("path-by-trigger", "INSERT INTO near.by_trigger VALUES ('%s') RETURNING 'written'"),
      change("path-by-check", "INSERT INTO near.by_check VALUES ('%s') RETURNING 'written'"),
      change("path-by-rule", "INSERT INTO near.by_rule VALUES ('%s') RETURNING 'written'"),
      change("path-by-script", "SELECT near.path_stays('%s'); SELECT 'set'"),
      change("path-by-plain-set", "SET search_path = evil, public; SELECT 'set' WHERE '%s' <> ''"),
      change("other-role", "SELECT near.other_role('%s')"),
      change("read-only", "SELECT near.read_only('%s')"),
      change("no-row-security", "SELECT near.no_row_security('%s')"),
      change("backslashes", "SELECT near.backslashes('%s')"),
      change("encoding", "SELECT near.encoding('%s')"),
      change("dates-set", "SELECT near.dates('%s')"),
      change("temporary", "SELECT near.temporary('%s')"),
      change("locks", "SELECT near.locks('%s')"),
      change("locks-built-in",
             "SELECT 'locked' FROM pg_try_advisory_lock_shared(4712) WHERE '%s' <> ''"),
      change("listens", "SELECT near.listens('%s')"),
      change("counts", "SELECT near.counts('%s')"),
  };
}

std::vector<Neighbour> ChangesOfATransaction() {
  const auto change = [](const char* name, const char* query,
                         std::vector<std::string> keys = kAny) {
    return Neighbour{name, Kind::kLocal, query, std::move(keys)};
  };
  return {
      change("tenant-box", "SELECT near.tenant_box('%s')", {"hidden@example.com"}),
      change("tenant-set", "SELECT near.tenant_set('%s')"),
      change("tenant-built-in", "SELECT set_config('app.tenant', 'two', '%s' <> '')"),
      change("path-for-now", "SELECT near.path_for_now('%s')"),
      change("path-set-local", "SELECT near.path_set_local('%s')"),
      change("path-of-its-own", "SELECT near.path_of_its_own('%s')", kGood),
      change("tenant-by-view", "SELECT goto FROM near.door_stable WHERE address = '%s'", kDoor),
      change("tenant-by-policy", "SELECT goto FROM near.guarded WHERE address = '%s'", kDoor),
  };
}

}  // namespace

std::vector<Neighbour> Neighbours() {
  std::vector<Neighbour> all = Quiet();
  for (const auto& more : {LastingChanges(), ChangesOfATransaction()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

}  // namespace proxymux::differential
