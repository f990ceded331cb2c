-- +goose Up
-- The words are those of DESIGN.md. Times are RFC 3339 text in UTC with
-- milliseconds; they are shown, never compared for order of changes.

-- One row: the epoch of this database, a new random word after every restore.
CREATE TABLE epoch (
    only  INTEGER PRIMARY KEY CHECK (only = 1),
    epoch TEXT NOT NULL
) STRICT;

CREATE TABLE accounts (
    id            TEXT PRIMARY KEY,
    email         TEXT NOT NULL UNIQUE, -- lower case
    password_hash TEXT NOT NULL,        -- PHC string, argon2id
    created_at    TEXT NOT NULL
) STRICT;

CREATE TABLE devices (
    id         TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name       TEXT NOT NULL COLLATE NOCASE,
    platform   TEXT NOT NULL,
    created_at TEXT NOT NULL,
    last_seen  TEXT NOT NULL,
    revoked_at TEXT -- the row stays, so that history can name the device
) STRICT;
-- The name of a revoked device is free again.
CREATE UNIQUE INDEX devices_name ON devices (name) WHERE revoked_at IS NULL;
CREATE INDEX devices_account ON devices (account_id);

-- A log-in of a device: the family of refresh tokens that follow one another.
-- token_hash is the SHA-256 of the one token that may be used next, and
-- previous_hash that of the one before it, good for a short grace after rotated_at.
CREATE TABLE logins (
    id            TEXT PRIMARY KEY,
    device_id     TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    token_hash    TEXT NOT NULL,
    previous_hash TEXT NOT NULL, -- '' until the first rotation
    rotated_at    TEXT NOT NULL,
    created_at    TEXT NOT NULL,
    ended_at      TEXT
) STRICT;
CREATE INDEX logins_device ON logins (device_id);

CREATE TABLE users (
    id         TEXT PRIMARY KEY,
    username   TEXT NOT NULL UNIQUE COLLATE NOCASE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    revision   INTEGER NOT NULL DEFAULT 0,
    keys       INTEGER NOT NULL DEFAULT 0, -- rows of settings, tombstones too
    bytes      INTEGER NOT NULL DEFAULT 0, -- of their values
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX users_account ON users (account_id);

CREATE TABLE members (
    user_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device_id TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    joined_at TEXT NOT NULL,
    PRIMARY KEY (user_id, device_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_device ON members (device_id);

-- The current state: one row per key that was ever set. value is the JSON text
-- as received; 'null' is a tombstone.
CREATE TABLE settings (
    user_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    block     TEXT NOT NULL,
    key       TEXT NOT NULL,
    value     TEXT NOT NULL,
    revision  INTEGER NOT NULL,
    device_id TEXT NOT NULL,
    at        TEXT NOT NULL,
    PRIMARY KEY (user_id, block, key)
) STRICT, WITHOUT ROWID;

-- The history: what each patch replaced. previous is NULL for a key that had
-- never been set.
CREATE TABLE changes (
    user_id           TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    revision          INTEGER NOT NULL,
    block             TEXT NOT NULL,
    key               TEXT NOT NULL,
    value             TEXT NOT NULL,
    previous          TEXT,
    previous_revision INTEGER NOT NULL DEFAULT 0,
    device_id         TEXT NOT NULL,
    patch_id          TEXT NOT NULL,
    at                TEXT NOT NULL,
    PRIMARY KEY (user_id, revision, block, key)
) STRICT, WITHOUT ROWID;

-- The first answer to each patch, returned when its id comes again.
CREATE TABLE patches (
    device_id TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    patch_id  TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    answer    TEXT NOT NULL,
    at        TEXT NOT NULL,
    PRIMARY KEY (device_id, patch_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX patches_at ON patches (at);

-- +goose Down
DROP TABLE patches;
DROP TABLE changes;
DROP TABLE settings;
DROP TABLE members;
DROP TABLE users;
DROP TABLE logins;
DROP TABLE devices;
DROP TABLE accounts;
DROP TABLE epoch;
