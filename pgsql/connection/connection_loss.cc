#include "pgsql/connection/connection_loss.h"

namespace proxymux::pgsql {

bool SpeaksAgainstHost(ConnectionLoss loss, bool nothing_unanswered) {
  switch (loss) {
    case ConnectionLoss::kGivenUp:
    case ConnectionLoss::kOutdated:
      return false;
    // A pooler ends a session for that session's sake also when its server has gone; then something
    // was under way there.
    case ConnectionLoss::kSessionEnded:
    case ConnectionLoss::kSessionStuck:
      return !nothing_unanswered;
    case ConnectionLoss::kPerhapsHost:
    case ConnectionLoss::kHostSilent:
    case ConnectionLoss::kSessionSilent:
      break;
  }
  return true;
}

bool FailsHost(ConnectionLoss loss) {
  switch (loss) {
    case ConnectionLoss::kSessionEnded:
    case ConnectionLoss::kSessionSilent:
    case ConnectionLoss::kGivenUp:
    case ConnectionLoss::kOutdated:
      return false;
    case ConnectionLoss::kPerhapsHost:
    case ConnectionLoss::kSessionStuck:
    case ConnectionLoss::kHostSilent:
      break;
  }
  return true;
}

bool MayBlame(ConnectionLoss loss, const Work& work, const Work& oldest,
              const PoolConnection& connection) {
  switch (loss) {
    case ConnectionLoss::kHostSilent:
    case ConnectionLoss::kSessionSilent:
    case ConnectionLoss::kGivenUp:
      return false;
    case ConnectionLoss::kSessionStuck:  // the oldest has had the error
      return !connection.answered.has_value();
    case ConnectionLoss::kPerhapsHost:
    case ConnectionLoss::kSessionEnded:
    case ConnectionLoss::kOutdated:  // a pooler may give it the same session again and again
      break;
  }
  return &work == &oldest || !connection.answered.has_value();
}

}  // namespace proxymux::pgsql
