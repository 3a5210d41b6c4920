#include "pgsql/sql/plan_words.h"

#include <algorithm>
#include <array>
#include <span>

namespace proxymux::pgsql {
namespace {

// All sorted.
constexpr std::array<std::string_view, 22> kOpenWords = {
    "cube",     "cursor",      "escape",    "fetch",     "grouping",   "lateral",
    "limit",    "locked",      "offset",    "only",      "ordinality", "over",
    "overlaps", "overlay",     "partition", "recursive", "rollup",     "search",
    "similar",  "tablesample", "window",    "within",
};

constexpr std::array<std::string_view, 35> kNotCalls = {
    "all",       "and",  "any",    "as",     "asc",          "between", "by",     "case",  "desc",
    "distinct",  "else", "except", "exists", "filter",       "from",    "having", "ilike", "in",
    "intersect", "is",   "join",   "like",   "materialized", "not",     "on",     "or",    "select",
    "some",      "then", "union",  "using",  "values",       "when",    "where",  "with",
};

constexpr std::array<std::string_view, 40> kTotalFunctions = {
    "array_length",    "array_to_string", "ascii",       "bit_length",  "bool_and",
    "bool_or",         "btrim",           "cardinality", "char_length", "character_length",
    "coalesce",        "concat",          "concat_ws",   "count",       "every",
    "greatest",        "initcap",         "least",       "left",        "length",
    "lower",           "ltrim",           "max",         "md5",         "min",
    "nullif",          "octet_length",    "position",    "quote_ident", "quote_literal",
    "replace",         "reverse",         "right",       "rtrim",       "starts_with",
    "string_to_array", "strpos",          "trim",        "unnest",      "upper",
};
constexpr std::array<std::string_view, 3> kTotalWithNumber = {"split_part", "substr", "substring"};

constexpr std::array<std::string_view, 17> kConditions = {
    "and",  "case",  "coalesce", "except", "from",  "greatest", "group", "having", "intersect",
    "join", "least", "nullif",   "or",     "order", "union",    "where", "with",
};

constexpr std::array<std::string_view, 7> kTextTypes = {"bpchar", "char", "character", "citext",
                                                        "name",   "text", "varchar"};
constexpr std::array<std::string_view, 17> kLiteralTypes = {
    "bigint", "bool", "boolean", "cidr", "date",    "float8",   "inet",      "int",         "int2",
    "int4",   "int8", "integer", "json", "numeric", "smallint", "timestamp", "timestamptz",
};

constexpr std::array<std::string_view, 18> kTotalOperators = {
    "!=", "&&", "->", "->>", "::", "<",  "<<",  "<<=", "<=",
    "<>", "<@", "=",  ">",   ">=", ">>", ">>=", "@>",  "||",
};

static_assert(std::is_sorted(kOpenWords.begin(), kOpenWords.end()));
static_assert(std::is_sorted(kNotCalls.begin(), kNotCalls.end()));
static_assert(std::is_sorted(kTotalFunctions.begin(), kTotalFunctions.end()));
static_assert(std::is_sorted(kTotalWithNumber.begin(), kTotalWithNumber.end()));
static_assert(std::is_sorted(kConditions.begin(), kConditions.end()));
static_assert(std::is_sorted(kTextTypes.begin(), kTextTypes.end()));
static_assert(std::is_sorted(kLiteralTypes.begin(), kLiteralTypes.end()));
static_assert(std::is_sorted(kTotalOperators.begin(), kTotalOperators.end()));

bool Contains(std::span<const std::string_view> sorted, std::string_view word) {
  return std::binary_search(sorted.begin(), sorted.end(), word);
}

}  // namespace

bool IsOpenWord(std::string_view word) { return Contains(kOpenWords, word); }

bool StandsBeforeParenthesis(std::string_view word) { return Contains(kNotCalls, word); }

bool IsTotalFunction(std::string_view word) { return Contains(kTotalFunctions, word); }

bool IsTotalWithNumber(std::string_view word) { return Contains(kTotalWithNumber, word); }

bool DecidesEvaluation(std::string_view word) { return Contains(kConditions, word); }

bool IsTextType(std::string_view word) { return Contains(kTextTypes, word); }

bool IsLiteralType(std::string_view word) { return Contains(kLiteralTypes, word); }

bool IsTotalOperator(std::string_view symbol) { return Contains(kTotalOperators, symbol); }

}  // namespace proxymux::pgsql
