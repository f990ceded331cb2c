-- +goose Up

-- What names and e-mail addresses are compared by (docs/names.md). It is made
-- by the server, which also fills it in at start for rows of before. NULL is a
-- name that is found by its exact spelling alone, since another row has its key.
ALTER TABLE accounts ADD COLUMN email_key text COLLATE "C";
ALTER TABLE devices ADD COLUMN name_key text COLLATE "C";
ALTER TABLE users ADD COLUMN username_key text COLLATE "C";
CREATE UNIQUE INDEX accounts_key ON accounts (email_key);
CREATE UNIQUE INDEX devices_key ON devices (name_key) WHERE revoked_at IS NULL;
CREATE UNIQUE INDEX users_key ON users (username_key);

-- +goose Down
ALTER TABLE accounts DROP COLUMN email_key;
ALTER TABLE devices DROP COLUMN name_key;
ALTER TABLE users DROP COLUMN username_key;
