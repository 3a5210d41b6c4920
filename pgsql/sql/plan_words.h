// What is known of the words, types, functions and operators of PostgreSQL as far as it matters for
// whether a plan can change an answer (plan_independence.h). Words are in lower case.
#pragma once

#include <string_view>

namespace proxymux::pgsql {

// A word that chooses among rows, numbers them, samples them or has a syntax not followed here.
bool IsOpenWord(std::string_view word);

// It may stand before a parenthesis without calling a function.
bool StandsBeforeParenthesis(std::string_view word);

// A function or aggregate that gives a value for every argument of its types and does not look at
// the order of rows.
bool IsTotalFunction(std::string_view word);

// One that raises an error for some numbers: total when its last argument is a plain one above 0.
bool IsTotalWithNumber(std::string_view word);

// A part that decides which other parts are evaluated.
bool DecidesEvaluation(std::string_view word);

// A type to which everything that can be cast can be cast without an error.
bool IsTextType(std::string_view word);

// A type to which a literal is cast when the statement is read, so that an error comes under every
// plan.
bool IsLiteralType(std::string_view word);

// It never raises an error on what it takes.
bool IsTotalOperator(std::string_view symbol);

}  // namespace proxymux::pgsql
