// Takes what servers answer: rows become answers, and errors have the consequences that
// result_verdict.h says.
#pragma once

#include <cstddef>
#include <string>

#include "pgsql/connection/pool_connection.h"
#include "pgsql/connection/upstream_connection.h"
#include "pgsql/policy/result_verdict.h"
#include "pgsql/pool/catalogue_questions.h"
#include "pgsql/pool/connection_set.h"
#include "pgsql/pool/lag_questions.h"
#include "pgsql/pool/open_work.h"
#include "pgsql/pool/pool_context.h"
#include "pgsql/table/result_format.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

class ResultHandler {
 public:
  ResultHandler(PoolContext* pool, OpenWork* work, ConnectionSet* connections,
                CatalogueQuestions* catalogues, LagQuestions* lags)
      : pool_(pool), work_(work), connections_(connections), catalogues_(catalogues), lags_(lags) {}

  // The work was in flight on the connection, and is answered.
  void OnResult(PoolConnection& connection, Work* work, const StatementResult& received);

 private:
  void Measure(PoolConnection& connection, const Work& work, const StatementResult& result);
  void NoteAlive(PoolConnection& connection);
  void HandleRows(PoolConnection& connection, Work* work, const StatementResult& result);
  void AnswerRows(const PoolConnection& connection, Work* work, const RowSource& rows);
  AnswerOrigin OriginOf(const PoolConnection& connection, const Work& work, std::size_t rows) const;

  // True when the session is stuck after the error.
  bool HandleError(PoolConnection& connection, Work* work, const StatementResult& result);
  void FailLookup(const PoolConnection& connection, Work* work, const ResultVerdict& verdict,
                  const StatementResult& result);
  void Learn(PoolConnection& connection, const Work& work, ResultVerdict::Lesson lesson,
             const StatementResult& result);
  void NoteVanished(PoolConnection& connection, const Work& work);

  PoolContext* const pool_;
  OpenWork* const work_;
  ConnectionSet* const connections_;
  CatalogueQuestions* const catalogues_;
  LagQuestions* const lags_;
  std::string value_;  // of the lookup that is being answered; keeps its capacity
};

}  // namespace proxymux::pgsql
