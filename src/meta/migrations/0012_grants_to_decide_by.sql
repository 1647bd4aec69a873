-- Whoever decides reads a subject's grants in a namespace, and finds all of them in the index.
CREATE INDEX grant_by_principal ON grant_(principal_id, ns_id, pattern, allow, deny);
