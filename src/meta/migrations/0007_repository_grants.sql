-- Grants on a repository's own name go along when it is called something else, and end with it.
CREATE INDEX grant_by_pattern ON grant_(ns_id, pattern);
