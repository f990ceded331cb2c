-- +goose Up

-- What happened in an account, for the people whose account it is. Rows are
-- never changed, and the oldest go: see Record.
CREATE TABLE audit (
    number      INTEGER PRIMARY KEY, -- the order of events
    account_id  TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    event       TEXT NOT NULL,
    device_id   TEXT NOT NULL, -- whose doing it was; '' if nobody knows
    device_name TEXT NOT NULL, -- as it was called then
    address     TEXT NOT NULL,
    detail      TEXT NOT NULL,
    at          TEXT NOT NULL
) STRICT;
CREATE INDEX audit_account ON audit (account_id, event, number);
CREATE INDEX audit_at ON audit (at);

-- A device of one account that asks to join a user of another. A row stays for
-- a day, so that asks can be counted. user_id is NULL for an ask that reaches
-- nobody, because there is no such user or it does not want to hear of this
-- account: the device that asks cannot tell.
CREATE TABLE asks (
    id         TEXT PRIMARY KEY,
    username   TEXT NOT NULL COLLATE NOCASE, -- as it was asked for
    user_id    TEXT REFERENCES users (id) ON DELETE CASCADE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE, -- of the device
    device_id  TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    code       TEXT NOT NULL,    -- two digits, shown by the device that asks
    wrong      INTEGER NOT NULL, -- numbers typed that were not these
    state      TEXT NOT NULL,    -- waiting, approved or denied
    at         TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX asks_waiting ON asks (device_id, username) WHERE state = 'waiting';
CREATE INDEX asks_user ON asks (user_id);
CREATE INDEX asks_account ON asks (account_id);
CREATE INDEX asks_at ON asks (at);

-- Accounts whose asks to join a user reach nobody.
CREATE TABLE blocks (
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    at         TEXT NOT NULL,
    PRIMARY KEY (user_id, account_id)
) STRICT, WITHOUT ROWID;

-- A code that lets one device join. A member has at most one per user: a new
-- one takes the place of the old.
CREATE TABLE invitations (
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device_id  TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE, -- who invites
    code_hash  TEXT NOT NULL UNIQUE, -- HMAC-SHA-256 under the server's key
    expires_at TEXT NOT NULL,
    PRIMARY KEY (user_id, device_id)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE invitations;
DROP TABLE blocks;
DROP TABLE asks;
DROP TABLE audit;
