-- The database of the differential suite: a mail system's tables with generated rows, in the shapes that mail
-- administration programs use, and columns of many types. Run as the superuser in an empty database; the role
-- @USER@ exists. It may read everything, and write to `seen` and `counters`.

CREATE EXTENSION citext;
CREATE TYPE mailbox_state AS ENUM ('active', 'suspended', 'deleted');
CREATE DOMAIN address AS text CHECK (VALUE ~ '@');
CREATE TYPE route AS (transport text, nexthop text);

-- Domains 0 to 199: example0.com ... , some with capitals in the table, some inactive.
CREATE TABLE domain (
  id integer PRIMARY KEY, name varchar(255) UNIQUE NOT NULL, description text, active boolean NOT NULL,
  transport varchar(64), backupmx boolean NOT NULL DEFAULT false, maxquota bigint, created timestamptz NOT NULL,
  settings jsonb, padded char(30), cname citext);
INSERT INTO domain SELECT n, 'example' || n || CASE n % 3 WHEN 0 THEN '.com' WHEN 1 THEN '.net' ELSE '.co.uk' END,
    CASE WHEN n % 4 = 0 THEN NULL WHEN n % 4 = 1 THEN '' ELSE 'Domain number ' || n END, n % 7 <> 0,
    (ARRAY['virtual', 'lmtp:unix:private/dovecot-lmtp', 'smtp:[mx.example.net]:25', NULL, ''])[1 + n % 5],
    n % 10 = 9, n::bigint * 1073741824, timestamptz '2020-01-01 00:00:00+00' + n * interval '1 day',
    jsonb_build_object('catchall', 'all@example' || n || '.com', 'limit', n, 'relay', n % 10 = 9),
    'example' || n, 'Example' || n || '.Org'
  FROM generate_series(0, 199) n;
INSERT INTO domain VALUES
  (200, 'müller.example', 'Umlaut', true, 'virtual', false, 0, '2021-01-01+00', '{}', 'ü', 'MÜLLER.example'),
  (201, 'sub.example1.net', 'Sub', true, 'virtual', false, 0, '2021-01-01+00', '{"a": [1, 2]}', 'sub', 'Sub.Example1.net'),
  (202, 'παράδειγμα.example', 'Greek', true, NULL, false, NULL, '2021-01-01+00', NULL, NULL, NULL),
  (203, 'o''brien.example', 'quote''d', true, 'virtual:', false, 1, '2021-01-01+00', '{}', 'o''brien', 'O''Brien.example');

-- Mailboxes 1 to 3000: userN@<domain N % 200>.
CREATE TABLE mailbox (
  id serial PRIMARY KEY, username text UNIQUE NOT NULL, local_part varchar(64) NOT NULL, domain varchar(255) NOT NULL,
  password text NOT NULL, name text, maildir varchar(255) NOT NULL, quota bigint NOT NULL, active smallint NOT NULL,
  state mailbox_state NOT NULL, uid uuid NOT NULL, cuser citext NOT NULL, code char(12), last_login timestamp,
  last_ip inet, tags text[], extra json, secret bytea, score numeric(10, 2), weight double precision, contact address);
INSERT INTO mailbox
  SELECT n, 'user' || n || '@' || d.name, 'user' || n, d.name, '{SHA256}' || md5(n::text), 'User Number ' || n,
    d.name || '/user' || n || '/', n::bigint * 1048576, (n % 5 <> 0)::int,
    (ARRAY['active', 'active', 'active', 'suspended', 'deleted'])[1 + n % 5]::mailbox_state,
    md5('uid' || n)::uuid, 'User' || n || '@' || d.name, 'c' || n, timestamp '2024-02-29 12:34:56.789' - n * interval '1 hour',
    ('10.' || n / 256 % 256 || '.' || n % 256 || '.1')::inet,
    CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN ARRAY['t' || n, 'all'] ELSE ARRAY['x,y', 'q"uote', ''] END,
    json_build_object('forward', 'fwd' || n || '@example.org', 'n', n), decode(md5(n::text), 'hex'),
    n / 7.0, n / 3.0, 'contact' || n || '@example.org'
  FROM generate_series(1, 3000) n JOIN domain d ON d.id = n % 200;
INSERT INTO mailbox VALUES
  (4001, 'Mixed.Case@Example.Com', 'Mixed.Case', 'Example.Com', 'x', 'Mixed Case', 'mixed/', 1, 1, 'active', md5('a')::uuid,
   'Mixed.Case@Example.Com', 'Mixed', NULL, '2001:db8::1', '{}', '{}', '\x00ff', 0, 'NaN', NULL),
  (4002, 'o''brien@example3.com', 'o''brien', 'example3.com', 'x', 'O''Brien', 'obrien/', 2, 1, 'active', md5('b')::uuid,
   'O''Brien@example3.com', 'o''brien', 'infinity', NULL, '{NULL,a}', '[]', '', 1.5, 'Infinity', 'a@b'),
  (4003, 'jürgen@müller.example', 'jürgen', 'müller.example', 'x', 'Jürgen Müller', 'jürgen/', 3, 1, 'active', md5('c')::uuid,
   'JÜRGEN@müller.example', 'jürgen', NULL, NULL, '{ü}', '{"u":"ü"}', 'ü', 2, 2, 'jü@x'),
  (4004, 'иван@example5.co.uk', 'иван', 'example5.co.uk', 'x', 'Иван', 'иван/', 4, 1, 'active', md5('d')::uuid,
   'ИВАН@example5.co.uk', 'иван', NULL, NULL, NULL, NULL, NULL, 3, 3, 'и@x'),
  (4005, 'back\slash@example6.com', 'back\slash', 'example6.com', 'x', 'Back\Slash', 'back\slash/', 5, 1, 'active', md5('e')::uuid,
   'back\slash@example6.com', 'back\', NULL, NULL, NULL, NULL, '\\', 4, 4, 'b@s'),
  (4006, 'percent%under_score@example7.net', 'percent%under_score', 'example7.net', 'x', 'Percent %', 'p%/', 6, 1, 'active',
   md5('f')::uuid, 'percent%under_score@example7.net', '%', NULL, NULL, NULL, NULL, NULL, 5, 5, 'p@u'),
  (4007, '"quoted local"@example8.co.uk', '"quoted local"', 'example8.co.uk', 'x', 'Quoted "Local"', 'q/', 7, 1, 'active',
   md5('g')::uuid, '"quoted local"@example8.co.uk', '"', NULL, NULL, NULL, NULL, NULL, 6, 6, 'q@l'),
  (4008, '12345', '12345', '', 'x', 'Number', 'n/', 8, 1, 'active', md5('h')::uuid, '12345', '12345', NULL, NULL, NULL, NULL,
   NULL, 7, 7, NULL),
  (4009, 'two@at@example9.com', 'two@at', 'example9.com', 'x', 'Two', 'two/', 9, 1, 'active', md5('i')::uuid,
   'two@at@example9.com', 'two@at', NULL, NULL, NULL, NULL, NULL, 8, 8, NULL),
  (4010, 'user7+tag@example7.net', 'user7+tag', 'example7.net', 'x', 'Plus', 'plus/', 10, 1, 'active', md5('j')::uuid,
   'user7+tag@example7.net', 'user7+tag', NULL, NULL, NULL, NULL, NULL, 9, 9, NULL);
CREATE INDEX ON mailbox (domain);
CREATE INDEX ON mailbox (cuser);

-- Aliases 1 to 4000; every tenth leads to several addresses in one value, every hundredth is a catch-all.
CREATE TABLE alias (
  id serial PRIMARY KEY, address varchar(255) UNIQUE NOT NULL, goto text, domain varchar(255) NOT NULL,
  active boolean NOT NULL DEFAULT true, expires timestamptz, caddress citext);
INSERT INTO alias
  SELECT n, CASE WHEN n % 100 = 50 THEN '@' || d.name ELSE 'alias' || n || '@' || d.name END,
    CASE WHEN n % 10 = 0 THEN 'user' || n || '@' || d.name || ',second' || n || '@example.org'
         WHEN n % 97 = 0 THEN NULL WHEN n % 89 = 0 THEN '' ELSE 'user' || n % 3000 || '@' || d.name END,
    d.name, n % 11 <> 0, CASE WHEN n % 13 = 0 THEN timestamptz '2001-01-01+00' END, 'Alias' || n || '@' || d.name
  FROM generate_series(1, 4000) n JOIN domain d ON d.id = n % 200 WHERE n % 100 <> 50 OR n <= 200;
INSERT INTO alias VALUES
  (5001, 'postmaster@example0.com', 'user200@example0.com', 'example0.com', true, NULL, 'Postmaster@example0.com'),
  (5002, 'owner-list@example0.com', 'user400@example0.com', 'example0.com', true, NULL, 'Owner-List@example0.com'),
  (5003, 'list-request@example0.com', '|/usr/bin/list "arg with, comma"', 'example0.com', true, NULL, 'list-request@example0.com'),
  (5004, 'straße@müller.example', 'jürgen@müller.example', 'müller.example', true, NULL, 'STRASSE@müller.example'),
  (5005, 'strasse@müller.example', 'other@müller.example', 'müller.example', true, NULL, 'Straße@müller.example'),
  (5006, 'lines@example0.com', E'first line\nsecond line', 'example0.com', true, NULL, 'lines@example0.com'),
  (5007, 'σίσυφος@παράδειγμα.example', 'user1@example1.net', 'παράδειγμα.example', true, NULL, 'ΣΊΣΥΦΟΣ@παράδειγμα.example'),
  (5008, 'σίσυφοσ@παράδειγμα.example', 'user2@example2.co.uk', 'παράδειγμα.example', true, NULL, NULL),
  (5009, 'nodomain', 'user3@example3.com', '', true, NULL, 'NoDomain'),
  (5010, 'bad@', 'left@', '', true, NULL, 'bad@'),
  (5011, 'blank @example0.com', ' leading and trailing ', 'example0.com', true, NULL, 'blank @example0.com');

-- Many rows for one address, in no particular order in the table.
CREATE TABLE member (list text NOT NULL, position integer NOT NULL, address text, active boolean NOT NULL DEFAULT true,
  PRIMARY KEY (list, position));
INSERT INTO member SELECT 'list' || l || '@example0.com', m,
    CASE WHEN m % 7 = 6 THEN NULL WHEN m % 7 = 5 THEN '' WHEN m % 7 = 4 THEN 'local' || m WHEN m % 7 = 3 THEN '@only.domain'
         ELSE 'user' || l * 100 + m || '@example' || m % 200 || '.com' END, m % 4 <> 0
  FROM generate_series(1, 30) l, generate_series(1, 40) m WHERE m <= l + 3 ORDER BY (l * 31 + m * 17) % 1009;

CREATE TABLE alias_domain (alias_domain varchar(255) PRIMARY KEY, target_domain varchar(255) NOT NULL, active boolean NOT NULL);
INSERT INTO alias_domain SELECT 'alias' || n || '.example', name, n % 6 <> 0 FROM generate_series(0, 99) n JOIN domain ON id = n;

CREATE TABLE transport (id integer PRIMARY KEY, pattern text UNIQUE NOT NULL, transport text, nexthop text, route route, ports int[]);
INSERT INTO transport SELECT n, CASE n % 4 WHEN 0 THEN '.example' || n || '.org' ELSE 'example' || n || '.org' END,
    (ARRAY['smtp', 'relay', 'lmtp', 'error'])[1 + n % 4], CASE WHEN n % 5 = 0 THEN NULL ELSE '[10.1.0.' || n || ']' END,
    ROW((ARRAY['smtp', NULL])[1 + n % 2], 'host' || n)::route, ARRAY[25, 587 + n]
  FROM generate_series(0, 199) n;

-- Access lists: patterns that a key is matched against, networks, and actions.
CREATE TABLE access (id integer PRIMARY KEY, pattern text NOT NULL, regex text NOT NULL, network cidr, action text NOT NULL, prio integer NOT NULL);
INSERT INTO access SELECT n, CASE n % 3 WHEN 0 THEN '%@example' || n || '.com' WHEN 1 THEN 'user' || n || '%' ELSE 'spam_' || n || '@%' END,
    '^[a-z]+' || n || '@', ('10.' || n || '.0.0/16')::cidr, (ARRAY['OK', 'REJECT', 'DUNNO', '550 5.7.1 no, thanks', 'DISCARD'])[1 + n % 5], (n * 7) % 101
  FROM generate_series(0, 99) n;

CREATE TABLE sender_login (sender text, login text, PRIMARY KEY (sender, login));
INSERT INTO sender_login SELECT 'user' || n || '@example' || n % 200 || CASE n % 200 % 3 WHEN 0 THEN '.com' WHEN 1 THEN '.net' ELSE '.co.uk' END,
    'login' || n + k FROM generate_series(1, 300) n, generate_series(0, 2) k;

CREATE TABLE number (small smallint, whole integer PRIMARY KEY, big bigint, real4 real, real8 double precision, exact numeric, yes boolean, bits bit(4));
INSERT INTO number SELECT n, n, n::bigint * 4294967296, n / 2.0, n / 3.0, n / 4.0, n % 2 = 0, (n & 15)::bit(4) FROM generate_series(-20, 300) n;

-- Values as large as 1 MiB, and values that look like something else.
CREATE TABLE body (name text PRIMARY KEY, content text);
INSERT INTO body SELECT 'size' || n, repeat('0123456789abcdef', n / 16) || repeat('x', n % 16)
  FROM unnest(ARRAY[1, 4095, 4096, 4097, 8192, 65535, 65536, 200000, 1048576]) n;
INSERT INTO body VALUES ('bytea', '\x48656c6c6f'), ('null', NULL), ('empty', ''), ('nullword', 'NULL'), ('percent', '%s %u %d %%'),
  ('dollar', '$1 $name ${x}'), ('commas', ',,a,,b,,'), ('comma', ','), ('blank', ' '), ('blanks', '   '), ('tab', E'a\tb'), ('newline', E'a\nb'),
  ('crlf', E'a\r\nb'), ('latin1', 'é'), ('latin1s', 'Grüße, ça va?'), ('euro', '€'), ('greek', 'Ελλάδα'), ('cjk', '漢字'), ('emoji', '📬'),
  ('combining', E'e\u0301'), ('control', E'\x01\x02\x1f\x7f'), ('c1', E'\u0085'), ('ats', 'a@b@c'), ('atstart', '@d'), ('atend', 'u@'), ('at', '@'),
  ('quote', 'it''s'), ('double', '"q"'), ('back', 'a\b\\'), ('braces', '{a,b}'), ('latin1at', 'ü@müller.example');

-- Where both sides may write.
CREATE TABLE seen (address text PRIMARY KEY, times integer NOT NULL DEFAULT 1);
CREATE TABLE counters (name text PRIMARY KEY, n integer NOT NULL);
INSERT INTO counters VALUES ('fixed', 1);

CREATE SCHEMA other;
CREATE TABLE other.alias (address text PRIMARY KEY, goto text);
INSERT INTO other.alias SELECT 'alias' || n || '@example' || n || '.com', 'other' || n || '@example.org' FROM generate_series(1, 50) n;
CREATE TABLE "Mixed Case" ("Key" text PRIMARY KEY, "a ""quoted"" %" text, "it's" text);
INSERT INTO "Mixed Case" SELECT address, 'quoted-' || id, 'it-' || id FROM alias WHERE id <= 20;

CREATE VIEW active_mailbox AS SELECT username, maildir, domain, cuser FROM mailbox WHERE active = 1 AND state = 'active';
CREATE VIEW virtual_user AS SELECT m.username AS email, m.maildir, d.transport FROM mailbox m JOIN domain d ON d.name = m.domain WHERE d.active;

-- Functions in the styles that people write: SQL, PL/pgSQL, sets, composites, raising, noticing, overloaded, by type.
CREATE FUNCTION alias_of(a text) RETURNS text STABLE LANGUAGE sql AS 'SELECT goto FROM alias WHERE address = a AND active';
CREATE FUNCTION aliases_of(a text) RETURNS SETOF text STABLE LANGUAGE sql AS 'SELECT address FROM member WHERE list = a AND active ORDER BY position';
CREATE FUNCTION route_of(a text) RETURNS route STABLE LANGUAGE sql AS 'SELECT t.route FROM transport t WHERE pattern = split_part(a, ''@'', 2)';
CREATE FUNCTION routes_of(a text, OUT kind text, OUT target text) RETURNS SETOF record STABLE LANGUAGE sql AS
  'SELECT transport::text, nexthop FROM transport WHERE pattern LIKE ''%'' || a ORDER BY id';
CREATE FUNCTION must_exist(a text) RETURNS text STABLE LANGUAGE plpgsql AS $f$
  DECLARE r text;
  BEGIN
    SELECT maildir INTO STRICT r FROM mailbox WHERE username = a;
    RETURN r;
  END $f$;
CREATE FUNCTION noticed(a text) RETURNS text LANGUAGE plpgsql AS $f$
  BEGIN RAISE NOTICE 'asked for %', a; RAISE WARNING 'really'; RETURN 'noticed ' || a; END $f$;
CREATE FUNCTION raised(a text) RETURNS text LANGUAGE plpgsql AS $f$
  BEGIN IF a LIKE 'user%' THEN RETURN a; END IF; RAISE EXCEPTION 'no such thing: %', a; END $f$;
CREATE FUNCTION raised_as(a text, code text) RETURNS text LANGUAGE plpgsql AS $f$
  BEGIN IF a LIKE 'user%' THEN RETURN a; END IF; RAISE EXCEPTION 'as asked' USING ERRCODE = code; END $f$;
CREATE FUNCTION kind_of(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT ''text''::text';
CREATE FUNCTION kind_of(integer) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT ''integer''::text';
CREATE FUNCTION nothing(a text) RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION folded(a varchar) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT lower(a)';
CREATE FUNCTION local_of(a text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT split_part(a, ''@'', 1)';
CREATE FUNCTION domain_of(a text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT split_part(a, ''@'', 2)';

GRANT USAGE ON SCHEMA other TO @USER@;
GRANT SELECT ON ALL TABLES IN SCHEMA public, other TO @USER@;
GRANT INSERT, UPDATE, DELETE ON seen, counters TO @USER@;
CREATE TABLE forbidden (a text);
ANALYZE;
