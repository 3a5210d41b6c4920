// A pool's display name, `user@host1,host2/dbname`, as administrators write it in proxymux.yaml:
// taken apart, so that the order of the hosts does not matter and a name that was meant for a pool
// can be told from one that has nothing to do with it.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace proxymux::proxy {

struct PoolName {
  std::string user;  // empty: the name has no user part
  std::set<std::string> hosts;
  std::string dbname;

  // `text` may end in "#2" and so on, by which pools of the same name are told apart: that is left
  // out.
  static PoolName Parse(std::string_view text);

  // Names a host of the other's, or the same user and database; or the other's hosts are not shown,
  // so that it may.
  bool ResemblesPoolOf(const PoolName& other) const;

  friend bool operator==(const PoolName&, const PoolName&) = default;
};

}  // namespace proxymux::proxy
