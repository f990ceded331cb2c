package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"social-server/internal/config"
	"social-server/internal/errs"
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
		{"help", "[COMMAND]", "print this, or the line of a command", nil},
	}
}

// usage describes all commands, or those whose names begin with the words.
func usage(words []string) (string, error) {
	var lines strings.Builder
	for _, c := range commands() {
		if name := strings.Fields(c.name); len(words) <= len(name) && slices.Equal(name[:len(words)], words) {
			fmt.Fprintf(&lines, "  social-server %-24s %s\n", c.name+" "+c.args, c.does)
		}
	}
	switch {
	case lines.Len() == 0:
		return "", unknown(words)
	case len(words) > 0:
		return lines.String(), nil
	}
	return "Social server keeps the settings of a person's devices in sync.\n\n" + lines.String() +
		"\nWithout a command it serves.\n", nil
}

func unknown(words []string) error {
	return errors.New(errs.Sprintf("there is no command %q; social-server help lists them", strings.Join(words, " ")))
}

// pick returns the command that arguments name, and its operands. A request for
// the help of a command becomes the command help with that command's words.
func pick(args []string) (command, []string, error) {
	words, help, err := operands(args)
	if err != nil {
		return command{}, nil, err
	}
	if help || len(words) > 0 && words[0] == "help" {
		return named("help"), commandWords(words), nil
	}
	for _, c := range commands() {
		n := len(strings.Fields(c.name))
		if len(words) < n || strings.Join(words[:n], " ") != c.name {
			continue
		}
		most := len(strings.Fields(c.args))
		least := most - strings.Count(c.args, "[") // what is in brackets may be left out
		if given := len(words) - n; given < least || given > most {
			return c, nil, fmt.Errorf("use it as: social-server %s", strings.TrimSpace(c.name+" "+c.args))
		}
		return c, words[n:], nil
	}
	if len(words) == 0 {
		return commands()[0], nil, nil
	}
	return command{}, nil, unknown(words[:1])
}

// operands sorts arguments into words and a request for help. All that follows
// "--" are words. No command has flags, so any other flag is an error.
func operands(args []string) (words []string, help bool, err error) {
	for i, arg := range args {
		switch {
		case arg == "--":
			return append(words, args[i+1:]...), help, err
		case arg == "-h", arg == "-help", arg == "--help":
			help = true
		case i == 0 && (arg == "-version" || arg == "--version"):
			words = append(words, "version")
		case strings.HasPrefix(arg, "-") && arg != "-":
			if err == nil {
				err = errors.New(errs.Sprintf("there is no flag %q: settings come from the environment, and a name that begins with - after --", arg))
			}
		default:
			words = append(words, arg)
		}
	}
	if help {
		err = nil // it says what there is
	}
	return words, help, err
}

// commandWords returns the words, without the operands of the command they name.
func commandWords(words []string) []string {
	if len(words) > 0 && words[0] == "help" {
		words = words[1:]
	}
	for _, c := range commands() {
		if name := strings.Fields(c.name); len(words) > len(name) && slices.Equal(words[:len(name)], name) {
			return name
		}
	}
	return words
}

// named returns the command of a name.
func named(name string) command {
	all := commands()
	return all[slices.IndexFunc(all, func(c command) bool { return c.name == name })]
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
