-- Whose jobs are believed to be which robot: an ID token of that issuer, for that audience, with claims that match.
-- Numbers are never given out again, because tokens name the rule they came from.
CREATE TABLE trust_rule(id $UPK,
  issuer $T NOT NULL, audience $T NOT NULL,           -- iss and aud of the token, byte for byte
  robot_id $I NOT NULL, ns_id $I NOT NULL,            -- whom it becomes, and the namespace that robot belongs to
  claims $J NOT NULL,                                 -- {"repository":"acme/web","ref":"refs/heads/*"}
  created_at $I NOT NULL, created_by $I, disabled $I NOT NULL DEFAULT 0, used_at $I) $S;
CREATE INDEX trust_rule_by_ns ON trust_rule(ns_id, id);
CREATE INDEX trust_rule_by_robot ON trust_rule(robot_id, issuer, id);
CREATE INDEX trust_rule_by_issuer ON trust_rule(issuer, audience, id);
