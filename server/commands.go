package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"social-server/internal/config"
	"social-server/internal/store"
)

// command is a thing the program does.
type command struct {
	name, args string // as in the usage: one word or two; one word each
	does       string
	run        func(ctx context.Context, stop func(), cfg config.Config, args []string, out io.Writer) error
}

// commands are all of them; the first is what happens without one.
func commands() []command {
	return []command{
		{"serve", "", "serve, as the environment says (.env.example)",
			func(ctx context.Context, stop func(), cfg config.Config, _ []string, out io.Writer) error {
				return serve(ctx, stop, cfg, out)
			}},
		{"backup", "FILE", "copy the database to a new file; the server may run",
			func(ctx context.Context, _ func(), cfg config.Config, args []string, out io.Writer) error {
				return backup(ctx, cfg, args[0], out)
			}},
		{"restore", "FILE", "put a backup in the database's place; the server must not run",
			func(ctx context.Context, _ func(), cfg config.Config, args []string, out io.Writer) error {
				return restore(ctx, cfg, args[0], out)
			}},
		{"copy", "FILE", "copy an SQLite database, or a backup, to the empty PostgreSQL one; no server may run on either",
			func(ctx context.Context, _ func(), cfg config.Config, args []string, out io.Writer) error {
				return copyDatabase(ctx, cfg, args[0], out)
			}},
		{"admin reset-code", "NAME", "make a code that sets a new password for a device name or e-mail address",
			func(ctx context.Context, _ func(), cfg config.Config, args []string, out io.Writer) error {
				return resetCode(ctx, cfg, args[0], out)
			}},
		{"admin new-epoch", "", "after restoring a PostgreSQL database: have every device take over what it says",
			func(ctx context.Context, _ func(), cfg config.Config, _ []string, out io.Writer) error {
				return newEpoch(ctx, cfg, out)
			}},
		{"healthcheck", "", "ask a running server whether it is ready",
			func(ctx context.Context, _ func(), cfg config.Config, _ []string, _ io.Writer) error {
				return healthcheck(ctx, cfg)
			}},
		{"doctor", "[URL]", "find out what is wrong, also on the way from the address that devices use",
			func(ctx context.Context, _ func(), cfg config.Config, args []string, out io.Writer) error {
				return diagnose(ctx, cfg, strings.Join(args, ""), out)
			}},
		{"version", "", "print the version", nil},
		{"help", "", "print this", nil},
	}
}

// usage says what there is to do.
func usage() string {
	var b strings.Builder
	b.WriteString("Social server keeps the settings of a person's devices in sync.\n\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  social-server %-24s %s\n", c.name+" "+c.args, c.does)
	}
	b.WriteString("\nWithout a command it serves.\n")
	return b.String()
}

// pick returns the command that arguments name, and what it is given.
func pick(args []string) (command, []string, error) {
	all := commands()
	if len(args) == 0 {
		return all[0], nil, nil
	}
	for _, c := range all {
		words := len(strings.Fields(c.name))
		if len(args) < words || strings.TrimLeft(strings.Join(args[:words], " "), "-") != c.name {
			continue
		}
		most := len(strings.Fields(c.args))
		least := most - strings.Count(c.args, "[") // what is in brackets may be left out
		if given := len(args) - words; given < least || given > most {
			return c, nil, fmt.Errorf("use it as: social-server %s", strings.TrimSpace(c.name+" "+c.args))
		}
		return c, args[words:], nil
	}
	return command{}, nil, fmt.Errorf("there is no command %q; social-server help lists them", args[0])
}

// backup copies the database of this configuration to a new file.
func backup(ctx context.Context, cfg config.Config, file string, out io.Writer) error {
	if cfg.Postgres() {
		return errors.New("DATABASE_URL: PostgreSQL has its own tools: pg_dump, or base backups with WAL archiving")
	}
	held, err := store.Backup(ctx, filepath.Join(cfg.DataDir, databaseFile), file)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, `Backed up to %s, and checked: %s.
It holds everything but the signing key. Keep a copy of jwt.key too, if it is in
%s: with another key every device logs in again.
`, file, held, cfg.DataDir)
	if err == nil && held.Foreign != "" {
		_, err = fmt.Fprintf(out, "It cannot be restored as it is: the database %s. Drop what you added, and back up again.\n", held.Foreign)
	}
	return err
}

// restore puts a backup in the place of the database of this configuration.
func restore(ctx context.Context, cfg config.Config, file string, out io.Writer) error {
	if cfg.Postgres() {
		return errors.New("DATABASE_URL: PostgreSQL has its own tools: stop the nodes, pg_restore, social-server admin new-epoch, start them")
	}
	config.Privately()
	if err := cfg.PrepareDataDir(); err != nil {
		return err
	}
	path := filepath.Join(cfg.DataDir, databaseFile)
	done, err := store.Restore(ctx, path, file, time.Now())
	if err != nil {
		return err
	}
	kept := "There was no database before."
	if done.Kept != "" {
		kept = "The database from before is kept as\n" + done.Kept + "; remove it when all is well."
	}
	_, err = fmt.Fprintf(out, `Restored %s: %s.
%s

Next: start the server. Every device takes over what the backup says; changes
that were made after it are gone from the server. Devices registered after it
register again. Devices locked out after it may log in again: lock them out anew.
`, file, done.Inventory, kept)
	return err
}

// copyDatabase copies an SQLite database to the PostgreSQL one of this configuration.
func copyDatabase(ctx context.Context, cfg config.Config, file string, out io.Writer) error {
	if !cfg.Postgres() {
		return errors.New("DATABASE_URL: is empty: it says where to copy to")
	}
	held, err := store.CopyToPostgres(ctx, file, cfg.DatabaseURL.Reveal())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, `Copied %s to %s, and compared row by row: %s.
Devices go on where they were. Name the former jwt.key in JWT_SECRET_PREVIOUS_FILE
until all have been here once (REFRESH_TOKEN_TTL): else they log in again.
`, file, database(cfg), held)
	return err
}
