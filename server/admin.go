package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"social-server/internal/account"
	"social-server/internal/config"
	"social-server/internal/errs"
)

// newEpoch gives the database a new epoch.
func newEpoch(ctx context.Context, cfg config.Config, out io.Writer) (err error) {
	if !cfg.Postgres() {
		return errors.New("DATABASE_URL: is empty, and social-server restore gives SQLite a new epoch by itself")
	}
	db, err := openBeside(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	epoch, err := db.NewEpoch(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "The database's epoch is %s now: every device takes over what it says.\n", epoch)
	return err
}

// resetCode prints a code that sets a new password for the account of a device
// name or e-mail address. The server may run meanwhile.
func resetCode(ctx context.Context, cfg config.Config, name string, out io.Writer) (err error) {
	config.Privately()
	db, err := openBeside(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	code, owner, err := account.NewResetCode(ctx, db, rand.Reader, time.Now(), name)
	if errs.Is(err, errs.NotFound) {
		return errors.New(errs.From(err).Message)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, `%s
sets a new password for %s, once, within 30 minutes:
type it on the page "Forgot your password?", or send
  POST /api/v1/reset {"code":"%s","password":"…"}
All devices of the account then log in again.
`, code, owner.Email, code)
	return err
}
