// How the key gets into a statement: pgsql_table(5) of Postfix's development branch,
// `statement_mode`, and a mode of our own.
#pragma once

namespace proxymux::config {

enum class StatementMode {
  kAuto,           // ours: prepared where the answer is provably the same, else as text
  kLegacy,         // as text, values escaped
  kParameterized,  // values as parameters; nothing is kept on the server
  kPrepared,       // values as parameters of a prepared statement
};

}  // namespace proxymux::config
