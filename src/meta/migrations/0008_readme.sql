-- What a repository says of itself, in Markdown.
CREATE TABLE readme(repo_id $I PRIMARY KEY, text $T NOT NULL,
  version $I NOT NULL,                                -- the time of the change in ms, or more: another one has another
  updated_at $I NOT NULL, updated_by $I) $S;
