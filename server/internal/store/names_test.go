package store

import (
	"database/sql"
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"

	"social-server/internal/account"
	"social-server/internal/errs"
)

// before makes a database as the server made it before names had keys, runs
// statements on it, and returns its place.
func before(t *testing.T, on database, statements ...string) string {
	t.Helper()
	place, driver, tables, version := filepath.Join(t.TempDir(), "old.db"), "sqlite", sqliteSchema, int64(3)
	if on.name == onServer.name {
		p, name := postgres(t), fmt.Sprint("old_", databases.Add(1))
		must(t, p.CreateDatabase(t.Context(), name, ""))
		t.Cleanup(func() { execute(t, p.URL("postgres"), "DROP DATABASE "+name+" WITH (FORCE)") })
		place, driver, tables, version = p.URL(name), "pgx", postgresSchema, 1
	}
	db, err := sql.Open(driver, place)
	must(t, err)
	defer db.Close()
	files, err := fs.Sub(migrations, tables.folder)
	must(t, err)
	provider, err := goose.NewProvider(tables.dialect, db, files, goose.WithDisableGlobalRegistry(true))
	must(t, err)
	_, err = provider.UpTo(t.Context(), version)
	must(t, err)
	tx, err := db.BeginTx(t.Context(), nil)
	must(t, err)
	for _, statement := range statements {
		_, err := tx.ExecContext(t.Context(), statement)
		must(t, err)
	}
	must(t, tx.Commit())
	return place
}

const (
	oldAccount = "INSERT INTO accounts (id, email, password_hash, created_at) VALUES ('%s', '%s', 'hash', '2026-01-0%dT00:00:00.000Z')"
	oldDevice  = "INSERT INTO devices (id, account_id, name, platform, created_at, last_seen) VALUES ('%s', '%s', '%s', 'p', '2026-01-0%dT00:00:00.000Z', '2026-01-01T00:00:00.000Z')"
	oldUser    = "INSERT INTO users (id, account_id, username, created_at) VALUES ('%s', '%s', '%s', '2026-01-0%dT00:00:00.000Z')"
)

// Fault B2: rows that were stored before names were normalised are found by
// every spelling; of those that look alike, each by its own, and the oldest by
// the others.
func TestRowsOfBefore(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		place := before(t, on,
			fmt.Sprintf(oldAccount, "a_1", "zoe\u0308@bücher.example", 1),
			fmt.Sprintf(oldAccount, "a_2", "zoë@xn--bcher-kva.example", 2),
			fmt.Sprintf(oldAccount, "a_3", "plain@example.com", 3),
			fmt.Sprintf(oldDevice, "d_lone", "a_1", "Ku\u0308che", 1),
			fmt.Sprintf(oldDevice, "d_late", "a_1", "é", 4),
			fmt.Sprintf(oldDevice, "d_early", "a_2", "e\u0301", 3),
			fmt.Sprintf(oldDevice, "d_upper", "a_3", "É", 5),
			fmt.Sprintf(oldUser, "u_lone", "a_1", "Zoë", 1),
			fmt.Sprintf(oldUser, "u_late", "a_1", "é", 4),
			fmt.Sprintf(oldUser, "u_early", "a_1", "É", 3),
		)
		for range 2 { // the second start finds nothing left to do
			s := on.openAt(t, place)
			ctx := t.Context()
			for name, id := range map[string]string{
				"Ku\u0308che": "d_lone", "Küche": "d_lone", "kÜCHE": "d_lone",
				"é": "d_late", "e\u0301": "d_early", "É": "d_upper", "E\u0301": "d_early",
			} {
				if d, _, err := s.DeviceByName(ctx, name); err != nil || d.ID != id {
					t.Errorf("device %+q is %q, %v, want %s", name, d.ID, err, id)
				}
			}
			for name, id := range map[string]string{"zoë": "u_lone", "ZOE\u0308": "u_lone", "é": "u_late", "É": "u_early", "e\u0301": "u_early"} {
				if u, err := s.User(ctx, "a_1", "d_lone", name); err != nil || u.ID != id {
					t.Errorf("user %+q is %q, %v, want %s", name, u.ID, err, id)
				}
			}
			for email, id := range map[string]string{
				"zoe\u0308@bücher.example": "a_1", "ZOE\u0308@Bücher.example ": "a_1", "zoë@xn--bcher-kva.example": "a_2", "plain@example.com": "a_3",
				"zoë@bücher.example": "a_1",
			} {
				if a, err := s.AccountByEmail(ctx, email); err != nil || a.ID != id {
					t.Errorf("account %+q is %q, %v, want %s", email, a.ID, err, id)
				}
			}
			for _, name := range []string{"é", "e\u0301", "É", "E\u0301", "KÜCHE"} {
				d := deviceOf("a_1", "d_new")
				d.Name = name
				wantCode(t, "a new device "+name, s.CreateDevice(ctx, d, 100), errs.Conflict)
			}
			_, err := s.RenameDevice(ctx, "a_1", "d_late", "e\u0301")
			wantCode(t, "another's name", err, errs.Conflict)
			must(t, s.Close())
		}
		s := on.openAt(t, place)
		_, err := s.RevokeDevice(t.Context(), "a_2", "d_early", noon)
		must(t, err)
		_, err = s.RenameDevice(t.Context(), "a_1", "d_late", "é")
		must(t, err)
		if d, _, err := s.DeviceByName(t.Context(), "E\u0301"); err != nil || d.ID != "d_late" {
			t.Errorf("after the other device was revoked: %q, %v", d.ID, err)
		}
	})
}

// More rows than one transaction gives keys to, many of which have the same.
func TestManyRowsOfBefore(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		statements := []string{fmt.Sprintf(oldAccount, "a_1", "a@example.com", 1)}
		for i := range 2*keysAtOnce + 1 {
			statements = append(statements, fmt.Sprintf(oldDevice, fmt.Sprintf("d_%04d", i), "a_1", fmt.Sprintf("É%d", i), 1+i%2))
		}
		s := on.openAt(t, before(t, on, statements...))
		for i := range 2*keysAtOnce + 1 {
			if d, _, err := s.DeviceByName(t.Context(), fmt.Sprintf("e\u0301%d", i)); err != nil || d.ID != fmt.Sprintf("d_%04d", i) {
				t.Fatalf("device %d is %q, %v", i, d.ID, err)
			}
		}
	})
}

// While PostgreSQL's nodes are updated, those of the older version make and rename
// rows without keys. (SQLite has one server, and an older one refuses the file.)
func TestRowsOfAnOlderNode(t *testing.T) {
	t.Parallel()
	on := onServer
	place := before(t, on, fmt.Sprintf(oldAccount, "a_1", "a@example.com", 1), fmt.Sprintf(oldDevice, "d_1", "a_1", "Å", 1))
	s, ctx := on.openAt(t, place), t.Context()
	for _, statement := range []string{
		"UPDATE devices SET name = 'Ñandú' WHERE id = 'd_1'",
		fmt.Sprintf(oldDevice, "d_2", "a_1", "A\u030a", 2),
		fmt.Sprintf(oldUser, "u_1", "a_1", "Zoe\u0308", 2),
	} {
		_, err := s.write.ExecContext(ctx, statement)
		must(t, err)
	}
	must(t, s.Close())
	s = on.openAt(t, place)
	for name, id := range map[string]string{"n\u0303andu\u0301": "d_1", "ÑANDÚ": "d_1", "å": "d_2"} {
		if d, _, err := s.DeviceByName(ctx, name); err != nil || d.ID != id {
			t.Errorf("%+q is %q, %v, want %s", name, d.ID, err, id)
		}
	}
	if u, err := s.UserNamed(ctx, "ZOË"); err != nil || u.ID != "u_1" {
		t.Errorf("the user is %q, %v", u.ID, err)
	}
}

// One ask waits for a user, however the device spelled the name.
func TestAskOfAnySpelling(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s, ctx := family(t, on), t.Context()
		must(t, s.CreateAsk(ctx, account.Ask{
			ID: "q_1", Username: "Zoë", AccountID: "a_1", DeviceID: "d_1", Code: "42", State: account.AskWaiting, At: nine, Expires: noon,
		}))
		if ask, err := s.AskOf(ctx, "d_1", "ZOE\u0308"); err != nil || ask.ID != "q_1" {
			t.Errorf("AskOf = %q, %v", ask.ID, err)
		}
	})
}
