// Tables that share a pool: some change the session or the transaction that they run in, in every
// way that is known, and the others would answer otherwise if they saw it.
//
// What is right for each key does not depend on what the same table was asked before, so that stock
// in a new session says it.
#pragma once

#include <string>
#include <vector>

namespace proxymux::differential {

struct Neighbour {
  enum class Kind {
    kQuiet,    // changes nothing, and sees what others change
    kSession,  // leaves something behind in its session
    kLocal,    // changes something until its transaction ends
  };
  std::string name;  // of the file, without .cf
  Kind kind = Kind::kQuiet;
  std::string query;
  std::vector<std::string> keys;
  std::string more = "";   // further settings of the file
  bool has_answer = true;  // else its own answer is not looked at, only what it leaves
};

// The tables; the database must have been given neighbours.sql.
std::vector<Neighbour> Neighbours();

}  // namespace proxymux::differential
