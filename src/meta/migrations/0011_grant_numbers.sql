-- The number of a grant is quoted by explain and in the record, and names it when it is taken back: none is given out
-- twice.
CREATE TABLE grant_numbered(id $UPK, principal_id $I NOT NULL, ns_id $I NOT NULL,
  pattern $T NOT NULL,                                -- acme/web, acme/web-*, acme/**
  allow $I NOT NULL, deny $I NOT NULL,                -- bits: 1 read 2 write 4 overwrite 8 delete 16 admin
  created_at $I NOT NULL, created_by $I, UNIQUE(principal_id, ns_id, pattern)) $S;
INSERT INTO grant_numbered(id, principal_id, ns_id, pattern, allow, deny, created_at, created_by)
  SELECT id, principal_id, ns_id, pattern, allow, deny, created_at, created_by FROM grant_ ORDER BY id;
DROP TABLE grant_;
ALTER TABLE grant_numbered RENAME TO grant_;
CREATE INDEX grant_by_ns ON grant_(ns_id, id);
CREATE INDEX grant_by_pattern ON grant_(ns_id, pattern);
