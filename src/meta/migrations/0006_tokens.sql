-- Open invitations are looked at by every administrator, whoever made them.
CREATE INDEX token_open_invites ON token(id) WHERE kind = 6 AND revoked_at IS NULL;
-- What was revoked is forgotten after a while, whether it would have ended or not.
CREATE INDEX token_by_revocation ON token(revoked_at) WHERE revoked_at IS NOT NULL;
-- What a job made that signed in with its ID token ends with the rule that let it in.
ALTER TABLE token ADD COLUMN trust_rule_id $I NOT NULL DEFAULT 0;
-- The lasting secret that it was made by, which takes it along when it is taken back.
ALTER TABLE token ADD COLUMN made_by $I NOT NULL DEFAULT 0;
