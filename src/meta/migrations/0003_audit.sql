-- What was done, by whom and from where, and what was refused. Append-only: each entry's hash covers it and the hash
-- before it, so that none can be changed or taken out without the next one telling.
CREATE TABLE audit(seq $I PRIMARY KEY, at $I NOT NULL,
  actor $T NOT NULL,                                  -- a name as it was then; empty: an anonymous caller
  actor_id $I, action $T NOT NULL, target $T NOT NULL,
  allowed $I NOT NULL, rule $T NOT NULL, peer $T NOT NULL, request $T NOT NULL,
  detail $J NOT NULL,                                 -- a JSON object
  prev $B NOT NULL, hash $B NOT NULL) $S;
CREATE INDEX audit_by_actor ON audit(actor, seq);
CREATE INDEX audit_by_target ON audit(target, seq);
CREATE INDEX audit_by_action ON audit(action, seq);
