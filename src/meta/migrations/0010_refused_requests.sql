-- A refusal is looked up by the request id that its caller was given. Pushes, the bulk of the table, are not in it.
CREATE INDEX audit_by_refused_request ON audit(request, seq) WHERE allowed = 0;
