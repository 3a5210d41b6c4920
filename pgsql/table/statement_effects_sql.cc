// The questions to the catalogue, for PostgreSQL 13 and later.
//
// Object identifiers below 16384 are those of initdb. Nothing has a backslash: the text means the
// same whatever standard_conforming_strings is. Where jit cannot be turned off, the planner must
// not take a question for a costly one: the condition on `kind` that is always true makes the
// recursive part a small one, those on `oid` let the stamp have indexes with enable_seqscan = off.
#include "pgsql/table/statement_effects.h"

namespace proxymux::pgsql {
namespace {

constexpr char kStamp[] = R"sql(SELECT pg_catalog.md5(pg_catalog.concat_ws(' ',
  (SELECT (pg_catalog.count(*), pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8))::pg_catalog.text
   FROM pg_catalog.pg_proc WHERE oid >= 16384),
  (SELECT (pg_catalog.count(*), pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8))::pg_catalog.text
   FROM pg_catalog.pg_rewrite WHERE oid >= 16384),
  (SELECT (pg_catalog.count(*), pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8))::pg_catalog.text
   FROM pg_catalog.pg_policy WHERE oid >= 16384),
  (SELECT (pg_catalog.count(*), pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8))::pg_catalog.text
   FROM pg_catalog.pg_operator WHERE oid >= 16384),
  (SELECT (pg_catalog.count(*), pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8))::pg_catalog.text
   FROM pg_catalog.pg_cast WHERE oid >= 16384),
  (SELECT (pg_catalog.count(*), pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8))::pg_catalog.text
   FROM pg_catalog.pg_amproc WHERE oid >= 16384),
  (SELECT (pg_catalog.count(*), pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8))::pg_catalog.text
   FROM pg_catalog.pg_extension WHERE oid >= 16384),
  (SELECT (pg_catalog.count(*), pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8))::pg_catalog.text
   FROM pg_catalog.pg_constraint WHERE contypid >= 16384),
  (SELECT (pg_catalog.count(*), pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8))::pg_catalog.text
   FROM pg_catalog.pg_type WHERE oid >= 16384 AND typtype = 'b' AND typelem = 0),
  (SELECT (pg_catalog.count(*), pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8))::pg_catalog.text
   FROM pg_catalog.pg_class WHERE oid >= 16384 AND (relrowsecurity OR relkind = ANY ('{f,v}'))))))sql";

// reach: functions (f) and relations (r) from the names on, `top` when reached without a function's
// body. Those behind operators, casts, types and domains count always: which of them are used would
// take the server's own parser.
constexpr char kReach[] = R"sql(WITH RECURSIVE reach(kind, id, top) AS (
  SELECT * FROM (
    SELECT 'f', p.oid, true FROM pg_catalog.pg_proc p WHERE p.proname = ANY ($1::pg_catalog.name[])
    UNION ALL
    SELECT 'f', p.oid, true FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_type t ON t.oid = p.proargtypes[0]
    WHERE p.pronargs = 1 AND p.proname = ANY ($2::pg_catalog.name[]) AND t.typtype = ANY ('{c,p}')
    UNION ALL
    SELECT 'r', c.oid, true FROM pg_catalog.pg_class c WHERE c.relname = ANY ($3::pg_catalog.name[])
    UNION ALL
    SELECT 'f', o.oprcode, true FROM pg_catalog.pg_operator o WHERE o.oid >= 16384
    UNION ALL
    SELECT 'f', c.castfunc, true FROM pg_catalog.pg_cast c WHERE c.oid >= 16384
    UNION ALL
    SELECT 'f', a.amproc, true FROM pg_catalog.pg_amproc a WHERE a.oid >= 16384
    UNION ALL
    SELECT 'f', i.id, true FROM pg_catalog.pg_type t, LATERAL (VALUES (t.typinput), (t.typoutput)) i(id)
    WHERE t.oid >= 16384 AND t.typtype = 'b'
    UNION ALL
    SELECT 'f', m[1]::pg_catalog.oid, true FROM pg_catalog.pg_constraint c,
      pg_catalog.regexp_matches(c.conbin::pg_catalog.text, 'funcid ([0-9]+)', 'g') m
    WHERE c.contypid >= 16384
  ) AS start(kind, id, top)
  UNION
  SELECT n.kind, n.id, n.top
  FROM (SELECT kind, id, top FROM reach WHERE id >= 16384 AND kind = ANY ('{f,r}')) r, LATERAL (
    SELECT CASE m[1] WHEN 'relid' THEN 'r' ELSE 'f' END, m[2]::pg_catalog.oid, r.top
    FROM (
      SELECT w.ev_action::pg_catalog.text FROM pg_catalog.pg_rewrite w
      WHERE r.kind = 'r' AND w.ev_class = r.id
      UNION ALL
      SELECT pg_catalog.concat(l.polqual, l.polwithcheck) FROM pg_catalog.pg_policy l
      WHERE r.kind = 'r' AND l.polrelid = r.id
      UNION ALL
      SELECT pg_catalog.to_jsonb(p) ->> 'prosqlbody' FROM pg_catalog.pg_proc p
      WHERE r.kind = 'f' AND p.oid = r.id
    ) tree(text), pg_catalog.regexp_matches(tree.text, '(relid|funcid|fnoid) ([0-9]+)', 'g') m
    UNION ALL
    SELECT f.kind, f.id, false
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang, LATERAL (
      SELECT 'f', q.oid FROM pg_catalog.pg_proc q
      WHERE q.proname = ANY (pg_catalog.regexp_split_to_array(pg_catalog.lower(p.prosrc), '[^a-z0-9_$]+')::pg_catalog.name[])
      UNION ALL
      SELECT 'r', c.oid FROM pg_catalog.pg_class c
      WHERE c.relname = ANY (pg_catalog.regexp_split_to_array(pg_catalog.lower(p.prosrc), '[^a-z0-9_$]+')::pg_catalog.name[])
    ) f(kind, id)
    WHERE r.kind = 'f' AND p.oid = r.id AND l.lanname = ANY ('{sql,plpgsql}')
  ) n(kind, id, top)
),
reached AS MATERIALIZED (SELECT kind, id, top FROM reach LIMIT 1001),
functions AS MATERIALIZED (
  SELECT p.oid, p.provolatile = 'v' AS volatile, r.top, CASE
    WHEN p.oid < 16384 THEN
      p.provolatile = 'v' AND p.proname <> ALL (
        '{clock_timestamp,gen_random_uuid,pg_sleep,pg_sleep_for,pg_sleep_until,random,timeofday}')
    WHEN p.oid = ANY (ARRAY(
      SELECT d.objid FROM pg_catalog.pg_depend d
      JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
      WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.deptype = 'e'
        AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
        AND e.extname = ANY ('{btree_gin,btree_gist,citext,cube,fuzzystrmatch,hstore,intarray,ip4r,isn,ltree,pg_trgm,pgcrypto,prefix,seg,unaccent,uuid-ossp}'))) THEN false
    WHEN l.lanname <> ALL ('{sql,plpgsql}') THEN true
    ELSE p.prosrc !~ '^[[:space:]!#-~]*$'
      OR pg_catalog.regexp_split_to_array(pg_catalog.lower(p.prosrc), '[^a-z0-9_$]+') && (
        '{alter,analyze,call,checkpoint,cluster,comment,commit,copy,create,deallocate,delete,discard,do,drop,execute,grant,import,insert,listen,load,lock,merge,notify,prepare,refresh,reindex,release,reset,revoke,rollback,savepoint,security,set,start,temp,temporary,transaction,truncate,unlisten,unlogged,update,vacuum}'::pg_catalog.text[]
        || CASE l.lanname WHEN 'sql' THEN 'into' END)
    END AS changes
  FROM reached r
  JOIN pg_catalog.pg_proc p ON p.oid = r.id
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang
  WHERE r.kind = 'f'
)
SELECT pg_catalog.concat_ws(' ',
  CASE WHEN EXISTS (SELECT 1 FROM functions WHERE top AND volatile) THEN 'writes' ELSE 'reads' END,
  CASE WHEN verdict.session IS NOT NULL THEN 'session'
       WHEN verdict.secured IS NOT NULL THEN 'transaction' ELSE 'shared' END,
  ()sql";

constexpr char kVerdict[] = R"sql(),
  coalesce(verdict.session, verdict.secured))
FROM (SELECT
  coalesce(
    (SELECT 'function ' || pg_catalog.min(f.oid::pg_catalog.regprocedure::pg_catalog.text)
     FROM functions f WHERE f.changes),
    (SELECT 'foreign table ' || pg_catalog.min(c.oid::pg_catalog.regclass::pg_catalog.text)
     FROM reached r JOIN pg_catalog.pg_class c ON c.oid = r.id WHERE r.kind = 'r' AND c.relkind = 'f'),
    CASE WHEN (SELECT pg_catalog.count(*) FROM reached) > 1000
         THEN 'more than 1000 functions and tables' END) AS session,
  (SELECT 'row security of ' || pg_catalog.min(c.oid::pg_catalog.regclass::pg_catalog.text)
   FROM reached r JOIN pg_catalog.pg_class c ON c.oid = r.id WHERE r.kind = 'r' AND c.relrowsecurity) AS secured
) AS verdict)sql";

}  // namespace

const std::string& StampSql() {
  static const std::string sql = kStamp;
  return sql;
}

const std::string& EffectsSql() {
  static const std::string sql = std::string(kReach) + kStamp + kVerdict;
  return sql;
}

}  // namespace proxymux::pgsql
