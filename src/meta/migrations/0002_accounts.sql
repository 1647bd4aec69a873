-- Who there is: people, robots and teams in one table, because a grant, a push and an audit entry speak of any of them.
-- Their numbers are never given out again: what somebody did stays told under his, and tokens name it.
CREATE TABLE principal(id $UPK,
  kind $I NOT NULL,                                   -- 1 user 2 robot 3 team
  name $T NOT NULL UNIQUE,                            -- ann, acme+ci or build-bot, acme/devs: what is typed and shown
  ns_id $I,                                           -- of a robot or team: the namespace it belongs to
  email $T, display_name $T NOT NULL DEFAULT '', is_admin $I NOT NULL DEFAULT 0, disabled $I NOT NULL DEFAULT 0,
  password_hash $T,                                   -- as libsodium or crypt(3) print it; NULL: no password opens it
  issuer $T, external_id $T,                          -- signed in from outside: linked by these two, never by e-mail
  expires_at $I, seen_at $I, seen_from $T,
  created_at $I NOT NULL, created_by $I, version $I NOT NULL DEFAULT 1) $S;
CREATE INDEX principal_by_ns ON principal(ns_id, kind, name) WHERE ns_id IS NOT NULL;
CREATE INDEX principal_by_kind ON principal(kind, name);
CREATE INDEX principal_by_admin ON principal(is_admin, id) WHERE is_admin = 1;
CREATE UNIQUE INDEX principal_by_external ON principal(issuer, external_id) WHERE issuer IS NOT NULL;

CREATE TABLE team_member(team_id $I NOT NULL, principal_id $I NOT NULL, PRIMARY KEY(team_id, principal_id)) $W;
CREATE INDEX team_member_by_principal ON team_member(principal_id);
CREATE TABLE org_member(ns_id $I NOT NULL, principal_id $I NOT NULL,
  role $I NOT NULL,                                   -- 1 reader 2 writer 3 admin 4 owner
  PRIMARY KEY(ns_id, principal_id)) $W;
CREATE INDEX org_member_by_principal ON org_member(principal_id);

-- ns.kind: 0 came into being by a push, before there were accounts; 1 a user's; 2 an organisation's
ALTER TABLE ns ADD COLUMN owner_id $I;                -- of a user's namespace
ALTER TABLE ns ADD COLUMN display_name $T NOT NULL DEFAULT '';
ALTER TABLE ns ADD COLUMN created_at $I NOT NULL DEFAULT 0;
CREATE INDEX ns_by_owner ON ns(owner_id) WHERE owner_id IS NOT NULL;
ALTER TABLE repo ADD COLUMN description $T NOT NULL DEFAULT '';

CREATE TABLE grant_(id $PK, principal_id $I NOT NULL, ns_id $I NOT NULL,
  pattern $T NOT NULL,                                -- acme/web, acme/web-*, acme/**
  allow $I NOT NULL, deny $I NOT NULL,                -- bits: 1 read 2 write 4 overwrite 8 delete 16 admin
  created_at $I NOT NULL, created_by $I, UNIQUE(principal_id, ns_id, pattern)) $S;
CREATE INDEX grant_by_ns ON grant_(ns_id, id);

CREATE TABLE token(id $UPK, hash $B NOT NULL UNIQUE, principal_id $I NOT NULL,
  kind $I NOT NULL,                                   -- 1 access token 2 refresh 3 web session 4 robot secret 5 short-lived
  name $T NOT NULL DEFAULT '',
  scope $J NOT NULL,                                  -- what it narrows its subject to; {} nothing
  created_at $I NOT NULL, expires_at $I, used_at $I, used_from $T, revoked_at $I) $S;
CREATE INDEX token_by_principal ON token(principal_id, kind, id);
CREATE INDEX token_by_expiry ON token(expires_at) WHERE expires_at IS NOT NULL;
