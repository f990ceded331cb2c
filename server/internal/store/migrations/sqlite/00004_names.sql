-- +goose Up

-- What names and e-mail addresses are compared by (docs/names.md). It is made
-- by the server, which also fills it in at start for rows of before. NULL is a
-- name that is found by its exact spelling alone, since another row has its key.
ALTER TABLE accounts ADD COLUMN email_key TEXT;
ALTER TABLE devices ADD COLUMN name_key TEXT;
ALTER TABLE users ADD COLUMN username_key TEXT;
CREATE UNIQUE INDEX accounts_key ON accounts (email_key);
CREATE UNIQUE INDEX devices_key ON devices (name_key) WHERE revoked_at IS NULL;
CREATE UNIQUE INDEX users_key ON users (username_key);
CREATE INDEX accounts_keyless ON accounts (created_at, id) WHERE email_key IS NULL;
CREATE INDEX devices_keyless ON devices (created_at, id) WHERE name_key IS NULL AND revoked_at IS NULL;
CREATE INDEX users_keyless ON users (created_at, id) WHERE username_key IS NULL;

-- +goose Down
DROP INDEX accounts_keyless;
DROP INDEX devices_keyless;
DROP INDEX users_keyless;
DROP INDEX accounts_key;
DROP INDEX devices_key;
DROP INDEX users_key;
ALTER TABLE accounts DROP COLUMN email_key;
ALTER TABLE devices DROP COLUMN name_key;
ALTER TABLE users DROP COLUMN username_key;
