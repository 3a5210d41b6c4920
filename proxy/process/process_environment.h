// The environment of this process, and which part of it is meant for a daemon of Postfix.
//
// master(8) gives its daemons what main.cf's import_environment lets through and nothing else.
// Without master(8) that is ours to do: libpq reads HOME and some thirty PG... variables, and what
// the caller has there (root's home, a service file, PGOPTIONS) is not meant for mail_owner.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace proxymux::proxy {

using Environment = std::map<std::string, std::string>;

// What `import_environment` (postconf(5)) makes of `from`: a NAME is passed on when it is there, a
// NAME=VALUE is set, also as `{ NAME = VALUE }`.
Environment ImportedEnvironment(std::string_view import_environment, const Environment& from);

Environment ProcessEnvironment();

// From now on the process has exactly these. Only while it has no other threads.
void SetProcessEnvironment(const Environment& environment);

}  // namespace proxymux::proxy
