#include "pgsql/host/error_class.h"

#include <algorithm>
#include <array>

namespace proxymux::pgsql {
namespace {

constexpr bool kPasses = true;

// What a running query's ERROR says, and whether it passes when it comes while connecting. Whole
// codes first; the first row that fits counts.
constexpr std::array kRules = {
    ErrorRule{"25001", Fault::kKey, "the statement cannot run inside a transaction"},
    ErrorRule{"25006", Fault::kElsewhere,
              "the query writes and the host is read-only (a standby); another may be the primary"},
    ErrorRule{"25P02", Fault::kConnection, "the session is stuck in a failed transaction"},
    ErrorRule{"25P03", Fault::kConnection, "the server ended an idle transaction's session"},
    ErrorRule{"25P04", Fault::kConnection, "the server ended a session over transaction_timeout"},
    ErrorRule{"26000", Fault::kVanished, "the session does not know the prepared statement"},
    ErrorRule{"34000", Fault::kVanished, "the session does not know the portal"},
    ErrorRule{"3D000", Fault::kStatement, "the query names a database that does not exist"},
    ErrorRule{"3F000", Fault::kStatement, "the query names a schema that does not exist"},
    ErrorRule{"40001", Fault::kConflict, "a serialization failure, or a standby's replay conflict"},
    ErrorRule{"40P01", Fault::kConflict, "a deadlock was resolved against this query"},
    ErrorRule{"42P05", Fault::kVanished, "the session has a statement of that name (a pooler's)"},
    ErrorRule{"53300", Fault::kHostFull, "the host takes no more connections", kPasses},
    ErrorRule{"57014", Fault::kCancelled,
              "the query was cancelled, by request or statement_timeout", kPasses},
    ErrorRule{"57P01", Fault::kHost, "the host is shutting down or ended the session", kPasses},
    ErrorRule{"57P02", Fault::kHost, "another session's crash restarts the host", kPasses},
    ErrorRule{"57P03", Fault::kHost, "the host is starting up, shutting down or recovering",
              kPasses},
    ErrorRule{"57P04", Fault::kHost, "the database was dropped on the host", kPasses},
    ErrorRule{"57P05", Fault::kConnection, "the server ended an idle session", kPasses},

    ErrorRule{"08", Fault::kHost, "the connection failed, or a pooler could not reach its server",
              kPasses},
    ErrorRule{"0A", Fault::kKey, "the server does not support what the query asks for"},
    ErrorRule{"21", Fault::kKey, "a subquery gave more than one row or the wrong columns"},
    ErrorRule{"22", Fault::kKey, "the key, or data it leads to, does not fit the query's types"},
    ErrorRule{"23", Fault::kKey, "a constraint refused what the query writes for this key"},
    ErrorRule{"25", Fault::kKey, "the transaction's state does not allow the statement"},
    ErrorRule{"28", Fault::kHost, "the host refuses our user or password"},
    ErrorRule{"40", Fault::kConflict, "the host rolled the query back"},
    ErrorRule{"42", Fault::kStatement, "the query is wrong for this database, or not permitted"},
    ErrorRule{"53", Fault::kElsewhere, "the host lacks memory, disk space or another resource",
              kPasses},
    ErrorRule{"54", Fault::kKey, "the query or its data exceeds a limit of the server"},
    ErrorRule{"55", Fault::kElsewhere, "an object is locked or not in the required state there"},
    ErrorRule{"57", Fault::kElsewhere, "an operator intervened on the host", kPasses},
    ErrorRule{"58", Fault::kElsewhere, "the host's operating system failed this query", kPasses},
    ErrorRule{"72", Fault::kConflict, "the snapshot is too old"},
    ErrorRule{"F0", Fault::kElsewhere, "the host's configuration file is faulty"},
    ErrorRule{"HV", Fault::kElsewhere, "a foreign server behind the host failed"},
    ErrorRule{"P0", Fault::kKey, "a function raised an error for this key"},
    ErrorRule{"XX", Fault::kElsewhere, "an internal error or damaged data on the host", kPasses},
};

// What PgBouncer says of credentials and databases, and not of a server behind it.
constexpr std::array<std::string_view, 5> kPoolerRefusals = {
    "authentication failed", "no such database", "no such user", "login rejected",
    "client certificate required"};

bool PoolerRefuses(std::string_view text) {
  return std::ranges::any_of(kPoolerRefusals, [text](std::string_view words) {
    return text.find(words) != std::string_view::npos;
  });
}

const ErrorRule* FindRule(std::string_view sqlstate) {
  for (const ErrorRule& rule : kRules) {
    if (rule.code == sqlstate || (rule.code.size() == 2 && sqlstate.substr(0, 2) == rule.code))
      return &rule;
  }
  return nullptr;
}

ErrorVerdict InConnect(std::string_view sqlstate, std::string_view text) {
  if (sqlstate.empty()) return {Fault::kHost, "nobody answers there", kPasses};
  const ErrorRule* rule = FindRule(sqlstate);
  // A client that libpq turns away has no statement to blame: everything keeps the host out of use.
  if (sqlstate == "3D000") return {Fault::kHost, "the host does not have the database"};
  if (sqlstate.substr(0, 2) == "42") return {Fault::kHost, "the user may not connect there"};
  if (sqlstate == "08P01" && PoolerRefuses(text)) {
    return {Fault::kHost, "the pooler refuses our user, password or database"};
  }
  if (rule == nullptr) return {Fault::kHost, "the host refused the connection"};
  const Fault fault = rule->fault == Fault::kHostFull ? Fault::kHostFull : Fault::kHost;
  return {fault, rule->reason, rule->passes};
}

bool IsUntyped(std::string_view sqlstate) { return sqlstate == "42P18"; }

constexpr ErrorVerdict kUntypedParameter{Fault::kUntyped, "a parameter's type cannot be inferred"};

ErrorVerdict InPrepare(std::string_view sqlstate, const ErrorVerdict& plain) {
  if (IsUntyped(sqlstate)) return kUntypedParameter;
  switch (plain.fault) {
    case Fault::kKey:
    case Fault::kStatement:
      return {Fault::kNotPreparable, "the query cannot be prepared with parameters"};
    case Fault::kUntyped:
    case Fault::kNotPreparable:
    case Fault::kVanished:
    case Fault::kStale:
    case Fault::kConflict:
    case Fault::kElsewhere:
    case Fault::kCancelled:
    case Fault::kConnection:
    case Fault::kHostFull:
    case Fault::kHost:
      return plain;
  }
  return plain;
}

}  // namespace

ErrorVerdict ClassifyError(const ServerError& error) {
  const std::string_view sqlstate = error.sqlstate;
  if (error.stage == ErrorStage::kConnect) return InConnect(sqlstate, error.text);
  if (sqlstate.empty()) return {Fault::kConnection, "libpq gave the connection up"};
  const ErrorRule* rule = FindRule(sqlstate);
  if (error.fatal) {
    if (rule != nullptr) {
      switch (rule->fault) {
        case Fault::kHost:
        case Fault::kConnection:
          return {rule->fault, rule->reason};
        case Fault::kHostFull:  // a pooler's: the session is over, and no new one is to be had
          return {Fault::kHostFull, rule->reason};
        case Fault::kKey:
        case Fault::kStatement:
        case Fault::kUntyped:
        case Fault::kNotPreparable:
        case Fault::kVanished:
        case Fault::kStale:
        case Fault::kConflict:
        case Fault::kElsewhere:
        case Fault::kCancelled:
          break;
      }
      return {Fault::kConnection, rule->reason};
    }
    return {Fault::kConnection, "the server ended the session"};
  }
  if (rule == nullptr) return {Fault::kKey, "an error that says nothing about the host"};
  ErrorVerdict plain{rule->fault, rule->reason};
  switch (rule->fault) {
    case Fault::kHost:
      // The session goes on, so the host does too: a function raised this code, or a pooler or
      // foreign server reports on somebody else.
      plain = {Fault::kElsewhere, "a query on the host reports a failed connection or shutdown"};
      break;
    case Fault::kHostFull:
      plain = {Fault::kElsewhere, "a query on the host reports a lack of connections"};
      break;
    case Fault::kKey:
    case Fault::kStatement:
    case Fault::kUntyped:
    case Fault::kNotPreparable:
    case Fault::kVanished:
    case Fault::kStale:
    case Fault::kConflict:
    case Fault::kElsewhere:
    case Fault::kCancelled:
    case Fault::kConnection:
      break;
  }
  switch (error.stage) {
    case ErrorStage::kPrepare:
      return InPrepare(sqlstate, plain);
    case ErrorStage::kPrepared:
      if (plain.fault == Fault::kVanished) return plain;
      // The plan was made before the tables or functions changed, or for another statement of that
      // name, which takes other values (08P01); made anew it may well work.
      if (sqlstate == "0A000" || sqlstate == "08P01" || sqlstate.substr(0, 2) == "42")
        return {Fault::kStale, "the prepared statement no longer fits the database"};
      return plain;
    case ErrorStage::kParameterized:
      if (IsUntyped(sqlstate)) return kUntypedParameter;
      break;
    case ErrorStage::kText:
    case ErrorStage::kConnect:
      break;
  }
  // Without a prepared statement there is none to make again.
  if (plain.fault == Fault::kVanished)
    return {Fault::kKey, "an error about a cursor or statement that the query itself names"};
  return plain;
}

bool RefusesQuestion(std::string_view sqlstate) {
  return sqlstate.starts_with("42") || sqlstate.starts_with("0A");
}

const ErrorRule* ErrorRules(std::size_t* count) {
  *count = kRules.size();
  return kRules.data();
}

}  // namespace proxymux::pgsql
