// What in a table's settings most likely is not what its writer meant, though Postfix takes it as
// it stands: a comment behind a value, quotes, a variable that a template should have replaced, a
// socket in the place of its directory. Pure.
#pragma once

#include "config/postfix/pgsql_table_settings.h"

namespace proxymux::config {

// Warnings, to the settings' own diagnostics. No value is shown that may be a secret.
void WarnOfTraps(PgsqlTableSettings* settings);

}  // namespace proxymux::config
