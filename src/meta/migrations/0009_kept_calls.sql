-- Calls of the administration API that were sent with a key of their own, so that one that is sent again is done once:
-- what was asked for, and what was answered, without secrets. Written with the change that the call made.
CREATE TABLE kept_call(principal_id $I NOT NULL, key_hash $B NOT NULL,
  request_hash $B NOT NULL,                           -- of operation, path and body
  status $I NOT NULL DEFAULT 0,                       -- 0: it was done, but what was answered did not get here
  location $T NOT NULL DEFAULT '', etag $T NOT NULL DEFAULT '', body $T NOT NULL DEFAULT '',
  created_at $I NOT NULL, PRIMARY KEY(principal_id, key_hash)) $W;
CREATE INDEX kept_call_by_age ON kept_call(created_at);
CREATE INDEX kept_call_by_principal ON kept_call(principal_id, created_at);
