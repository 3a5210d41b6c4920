-- Tables of one pool and the functions of their neighbours, which change the session or the transaction that they run in.
CREATE SCHEMA near;
CREATE SCHEMA evil;
CREATE ROLE neighbour;
GRANT neighbour TO @USER@;

-- What the quiet tables read; in the schema evil everything has another answer.
CREATE TABLE address_book (address text PRIMARY KEY, goto text);
INSERT INTO address_book VALUES ('good@example.com', 'right'), ('back\slash@example.com', 'one backslash'),
  ('grün@example.com', 'schöne grüße');
CREATE TABLE evil.address_book (address text PRIMARY KEY, goto text);
INSERT INTO evil.address_book VALUES ('good@example.com', 'wrong'), ('nobody@example.com', 'wrong');
CREATE TABLE boxes (tenant text, address text, goto text);
INSERT INTO boxes VALUES ('one', 'user@example.com', 'box-of-one'), ('two', 'hidden@example.com', 'box-of-two');
ALTER TABLE boxes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON boxes USING (tenant = current_setting('app.tenant', true));
CREATE TABLE shared_boxes (tenant text, address text, goto text);
INSERT INTO shared_boxes SELECT * FROM boxes;
ALTER TABLE shared_boxes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON shared_boxes USING (tenant = coalesce(nullif(current_setting('app.tenant', true), ''), 'one'));
CREATE VIEW open_boxes WITH (security_invoker = true) AS SELECT address, goto FROM boxes;
CREATE TABLE plain_journal (k text);

-- A change that lasts, made in one way after the other.
CREATE FUNCTION near.path_stays(t text) RETURNS text LANGUAGE plpgsql AS
  $f$ BEGIN PERFORM set_config('search_path', 'evil, public', false); RETURN 'set'; END $f$;
CREATE FUNCTION near.path_in_sql(t text) RETURNS text LANGUAGE sql VOLATILE AS
  $f$ SELECT set_config('search_path', 'evil, public', false) $f$;
CREATE FUNCTION near.path_by_set(t text) RETURNS text LANGUAGE plpgsql AS
  $f$ BEGIN SET search_path = evil, public; RETURN 'set'; END $f$;
CREATE FUNCTION near.path_by_update(t text) RETURNS text LANGUAGE plpgsql AS
  $f$ BEGIN UPDATE pg_settings SET setting = 'evil, public' WHERE name = 'search_path'; RETURN 'set'; END $f$;
CREATE FUNCTION near.path_said_stable(t text) RETURNS text LANGUAGE plpgsql STABLE AS
  $f$ BEGIN PERFORM set_config('search_path', 'evil, public', false); RETURN 'set'; END $f$;
CREATE FUNCTION near.path_said_immutable(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
  $f$ BEGIN PERFORM set_config('search_path', 'evil, public', false); RETURN t; END $f$;
CREATE FUNCTION near.other_role(t text) RETURNS text LANGUAGE plpgsql AS
  $f$ BEGIN SET ROLE neighbour; RETURN 'set'; END $f$;
CREATE FUNCTION near.read_only(t text) RETURNS text LANGUAGE plpgsql AS
  $f$ BEGIN PERFORM set_config('default_transaction_read_only', 'on', false); RETURN 'set'; END $f$;
CREATE FUNCTION near.no_row_security(t text) RETURNS text LANGUAGE plpgsql AS
  $f$ BEGIN PERFORM set_config('row_security', 'off', false); RETURN 'set'; END $f$;
CREATE FUNCTION near.backslashes(t text) RETURNS text LANGUAGE plpgsql AS
  $f$ BEGIN PERFORM set_config('standard_conforming_strings', 'off', false); RETURN 'set'; END $f$;
CREATE FUNCTION near.encoding(t text) RETURNS text LANGUAGE plpgsql AS
  $f$ BEGIN PERFORM set_config('client_encoding', 'LATIN1', false); RETURN 'set'; END $f$;
CREATE FUNCTION near.dates(t text) RETURNS text LANGUAGE plpgsql AS
  $f$ BEGIN SET datestyle = 'German, DMY'; SET TimeZone = 'Pacific/Auckland'; RETURN 'set'; END $f$;
CREATE FUNCTION near.temporary(t text) RETURNS text LANGUAGE plpgsql AS $f$ BEGIN
  CREATE TEMPORARY TABLE IF NOT EXISTS address_book (address text, goto text);
  INSERT INTO pg_temp.address_book VALUES ('good@example.com', 'wrong'), ('nobody@example.com', 'wrong');
  RETURN 'set'; END $f$;
CREATE FUNCTION near.locks(t text) RETURNS text LANGUAGE plpgsql AS
  $f$ BEGIN PERFORM pg_try_advisory_lock(4711); RETURN 'set'; END $f$;
CREATE FUNCTION near.listens(t text) RETURNS text LANGUAGE plpgsql AS
  $f$ BEGIN LISTEN neighbours; NOTIFY neighbours, 'noise'; RETURN 'set'; END $f$;
CREATE SEQUENCE near.counter;
CREATE FUNCTION near.counts(t text) RETURNS text LANGUAGE plpgsql AS
  $f$ BEGIN PERFORM nextval('near.counter'); RETURN 'set'; END $f$;

-- A change for the transaction, as tenants are often set.
CREATE FUNCTION near.tenant_box(a text) RETURNS text LANGUAGE plpgsql STABLE AS $f$ BEGIN
  PERFORM set_config('app.tenant', 'two', true);
  RETURN (SELECT goto FROM public.boxes WHERE address = a); END $f$;
CREATE FUNCTION near.tenant_set(a text) RETURNS text LANGUAGE sql STABLE AS
  $f$ SELECT set_config('app.tenant', 'two', true) $f$;
CREATE FUNCTION near.path_for_now(t text) RETURNS text LANGUAGE plpgsql STABLE AS
  $f$ BEGIN PERFORM set_config('search_path', 'evil, public', true); RETURN 'set'; END $f$;
CREATE FUNCTION near.path_set_local(t text) RETURNS text LANGUAGE plpgsql AS
  $f$ BEGIN SET LOCAL search_path = evil, public; RETURN 'set'; END $f$;
-- Its own SET clause undoes it: a good neighbour.
CREATE FUNCTION near.path_of_its_own(t text) RETURNS text LANGUAGE plpgsql STABLE SET search_path = evil AS
  $f$ BEGIN RETURN (SELECT goto FROM address_book WHERE address = t); END $f$;

-- The same through other things than a call. The functions return something that depends on nothing.
CREATE FUNCTION near.tenant_true(a text) RETURNS boolean LANGUAGE plpgsql STABLE AS
  $f$ BEGIN PERFORM set_config('app.tenant', 'two', true); PERFORM set_config('search_path', 'evil, public', true);
  RETURN true; END $f$;
CREATE FUNCTION near.path_true(a text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS
  $f$ BEGIN PERFORM set_config('app.tenant', 'two', false); PERFORM set_config('search_path', 'evil, public', false);
  RETURN true; END $f$;
CREATE FUNCTION near.path_both(a text, b text) RETURNS boolean LANGUAGE plpgsql STABLE AS
  $f$ BEGIN RETURN near.path_true(a); END $f$;
CREATE TABLE near.doors (address text PRIMARY KEY, goto text);
INSERT INTO near.doors VALUES ('door@example.com', 'door');
CREATE VIEW near.door_stable AS SELECT address, goto FROM near.doors WHERE near.tenant_true(address);
CREATE VIEW near.door_volatile AS SELECT address, goto FROM near.doors WHERE near.path_true(address);
CREATE OPERATOR near.=== (FUNCTION = near.path_both, LEFTARG = text, RIGHTARG = text);
CREATE TYPE near.marked AS (goto text);
CREATE FUNCTION near.mark(a text) RETURNS near.marked LANGUAGE plpgsql AS
  $f$ BEGIN PERFORM near.path_true(a); RETURN ROW('marked')::near.marked; END $f$;
CREATE CAST (text AS near.marked) WITH FUNCTION near.mark(text);
CREATE DOMAIN near.checked AS text CHECK (near.path_true(VALUE));
CREATE TABLE near.guarded (address text, goto text);
INSERT INTO near.guarded VALUES ('door@example.com', 'guarded');
ALTER TABLE near.guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY looks ON near.guarded USING (near.tenant_true(address));
CREATE TABLE near.by_default (k text, made boolean DEFAULT near.path_true('x'));
CREATE TABLE near.by_trigger (k text);
CREATE FUNCTION near.on_insert() RETURNS trigger LANGUAGE plpgsql AS
  $f$ BEGIN PERFORM near.path_true('x'); RETURN NEW; END $f$;
CREATE TRIGGER sets AFTER INSERT ON near.by_trigger FOR EACH ROW EXECUTE FUNCTION near.on_insert();
CREATE TABLE near.by_check (k text CHECK (near.path_true(k)));
CREATE TABLE near.by_rule (k text);
CREATE RULE sets AS ON INSERT TO near.by_rule DO ALSO SELECT near.path_true('x');

GRANT USAGE ON SCHEMA near, evil TO @USER@, neighbour;
GRANT USAGE ON SEQUENCE near.counter TO @USER@;
GRANT SELECT ON ALL TABLES IN SCHEMA near, evil, public TO @USER@;
GRANT INSERT ON plain_journal, near.by_default, near.by_trigger, near.by_check, near.by_rule TO @USER@;
