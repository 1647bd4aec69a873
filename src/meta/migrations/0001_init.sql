-- Types are macros, expanded per engine (see sql/connection.h): $PK $I $B $T $J $S $W.
-- Times are integer milliseconds UTC, sizes are bytes, digests one algorithm byte (1 sha256, 2 sha512) + raw hash.
-- No triggers, no foreign keys: cascades are explicit code, `berth fsck` checks them.
CREATE TABLE meta(key $T PRIMARY KEY, value $T NOT NULL) $W;  -- store_id, boot_id, clock_high

-- namespaces and repositories
CREATE TABLE ns(id $PK, name $T NOT NULL UNIQUE, kind $I NOT NULL, visibility $I NOT NULL DEFAULT 0,
  quota_bytes $I, quota_repos $I, used_bytes $I NOT NULL DEFAULT 0, trash_bytes $I NOT NULL DEFAULT 0,
  settings $J NOT NULL DEFAULT '{}', version $I NOT NULL DEFAULT 1) $S;
CREATE TABLE repo(id $PK, ns_id $I NOT NULL, name $T NOT NULL UNIQUE, visibility $I NOT NULL, upstream_id $I,
  used_bytes $I NOT NULL DEFAULT 0, n_tags $I NOT NULL DEFAULT 0, n_manifests $I NOT NULL DEFAULT 0,
  settings $J NOT NULL DEFAULT '{}', created_at $I NOT NULL, deleted_at $I, version $I NOT NULL DEFAULT 1) $S;
CREATE INDEX repo_by_ns ON repo(ns_id, name);

-- bytes
CREATE TABLE blob(id $PK, digest $B NOT NULL UNIQUE, size $I NOT NULL,
  state $I NOT NULL,                                  -- 0 absent (sparse placeholder) 1 present 3 bad
  inc $I NOT NULL, loc $T,                            -- loc NULL: the path derives from digest and inc
  created_at $I NOT NULL, checked_at $I NOT NULL DEFAULT 0) $S;
CREATE INDEX blob_odd ON blob(state) WHERE state <> 1;
CREATE TABLE doomed(inc $I PRIMARY KEY, digest $B NOT NULL, loc $T, due $I NOT NULL) $W;  -- bytes to unlink
CREATE TABLE repo_blob(repo_id $I NOT NULL, blob_id $I NOT NULL,
  state $I NOT NULL DEFAULT 1,                        -- 1 live 2 trash (hidden) 3 reserved (sparse, bytes absent)
  linked_at $I NOT NULL, linked_by $I, pulled_day $I NOT NULL DEFAULT 0, PRIMARY KEY(repo_id, blob_id)) $W;
CREATE INDEX repo_blob_by_blob ON repo_blob(blob_id);
CREATE TABLE ns_blob(ns_id $I NOT NULL, blob_id $I NOT NULL, links $I NOT NULL, PRIMARY KEY(ns_id, blob_id)) $W;

-- manifests
CREATE TABLE manifest_body(id $PK, sha256 $B NOT NULL UNIQUE, enc $I NOT NULL DEFAULT 0, bytes $B NOT NULL) $S;
CREATE TABLE manifest(id $PK, repo_id $I NOT NULL, digest $B NOT NULL, body_id $I NOT NULL,
  kind $I NOT NULL,                                   -- 1 image 2 index
  media_type $T NOT NULL, size $I NOT NULL,
  state $I NOT NULL DEFAULT 1,                        -- 1 live 2 trash
  artifact_type $T,
  subject $T,                                         -- the digest string as written: any algorithm is legal (V13)
  ref_desc $J,                                        -- ready descriptor for the referrers list, only with a subject (R2)
  hold $I NOT NULL DEFAULT 0, pushed_at $I NOT NULL, pushed_by $I, pulled_day $I NOT NULL DEFAULT 0, purge_at $I,
  UNIQUE(repo_id, digest)) $S;
CREATE INDEX manifest_by_subject ON manifest(repo_id, subject, id) WHERE subject IS NOT NULL;
CREATE INDEX manifest_by_body ON manifest(body_id);
CREATE INDEX manifest_by_push ON manifest(repo_id, pushed_at, id);
CREATE TABLE manifest_blob(manifest_id $I NOT NULL, blob_id $I NOT NULL, repo_id $I NOT NULL,
  PRIMARY KEY(manifest_id, blob_id)) $W;
CREATE INDEX manifest_blob_by_blob ON manifest_blob(repo_id, blob_id);
CREATE TABLE manifest_child(manifest_id $I NOT NULL, child $B NOT NULL, repo_id $I NOT NULL,
  PRIMARY KEY(manifest_id, child)) $W;
CREATE INDEX manifest_child_by_child ON manifest_child(repo_id, child);

-- tags
CREATE TABLE tag(repo_id $I NOT NULL, name $T NOT NULL, manifest_id $I NOT NULL, version $I NOT NULL,
  kind $I NOT NULL DEFAULT 0,                         -- 0 manual 1 float 2 fallback
  sv_line $T, sv_key $B, created_at $I NOT NULL, updated_at $I NOT NULL, updated_by $I,
  pulled_day $I NOT NULL DEFAULT 0, PRIMARY KEY(repo_id, name)) $W;
CREATE INDEX tag_by_manifest ON tag(manifest_id);
CREATE INDEX tag_by_semver ON tag(repo_id, sv_line, sv_key) WHERE sv_key IS NOT NULL;
CREATE INDEX tag_by_update ON tag(repo_id, updated_at);
CREATE TABLE tag_history(id $PK, repo_id $I NOT NULL, name $T NOT NULL, at $I NOT NULL,
  op $I NOT NULL,                                     -- 1 set 2 delete 3 undo 4 float 5 replicate
  digest $B, prev_digest $B, actor $I, cause $I) $S;
CREATE INDEX tag_history_by_tag ON tag_history(repo_id, name, id);

-- uploads and garbage bookkeeping
CREATE TABLE upload(id $T PRIMARY KEY, repo $T NOT NULL, subject $T NOT NULL,
  state $I NOT NULL,                                  -- 1 open 2 committed (also the tombstone of U10)
  inc $I NOT NULL, placed $I NOT NULL DEFAULT 0, offset_ $I NOT NULL, synced $I NOT NULL DEFAULT 0,
  hash256 $B, hash512 $B, digest $B, storage $J, owner $T, fence $I NOT NULL DEFAULT 0,
  created_at $I NOT NULL, expires_at $I NOT NULL) $W;
CREATE INDEX upload_expiry ON upload(expires_at);
CREATE INDEX upload_unplaced ON upload(state) WHERE state = 2 AND placed = 0;
CREATE INDEX upload_by_inc ON upload(inc);
CREATE TABLE gc_queue(
  kind $I NOT NULL,                                   -- 1 link 2 blob 3 manifest orphan 4 purge manifest 6 repo
  repo_id $I NOT NULL, obj_id $I NOT NULL, due $I NOT NULL, why $I NOT NULL, tries $I NOT NULL DEFAULT 0,
  PRIMARY KEY(kind, repo_id, obj_id)) $W;
CREATE INDEX gc_queue_due ON gc_queue(due);
