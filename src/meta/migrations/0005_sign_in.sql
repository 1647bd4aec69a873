-- Who signs in elsewhere: an account is linked by issuer and number there (principal.issuer, external_id), and groups
-- there are teams here. Places that a group gave are marked, so that a later sign-in takes away what it gives no more.
CREATE TABLE team_group(name $T NOT NULL, team_id $I NOT NULL, PRIMARY KEY(name, team_id)) $W;
CREATE INDEX team_group_by_team ON team_group(team_id);
ALTER TABLE team_member ADD COLUMN from_group $I NOT NULL DEFAULT 0;
ALTER TABLE org_member ADD COLUMN from_group $I NOT NULL DEFAULT 0;
