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

  // `text` may end in "#2" and so on, which tells pools of the same name apart: that ending is left
  // out.
  static PoolName Parse(std::string_view text);

  // Whether this name may be meant for the pool `other`: the two have a host in common, or user and
  // database, or the hosts of `other` are not shown.
  bool ResemblesPoolOf(const PoolName& other) const;

  friend bool operator==(const PoolName&, const PoolName&) = default;
};

}  // namespace proxymux::proxy
