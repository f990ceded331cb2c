-- +goose Up

-- A code that sets a new password once. Whoever runs the server makes it with
-- social-server admin reset-code; a new one takes the place of the old.
CREATE TABLE reset_codes (
    account_id TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    code_hash  TEXT NOT NULL UNIQUE, -- SHA-256
    expires_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE reset_codes;
