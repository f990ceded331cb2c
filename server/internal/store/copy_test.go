package store

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"social-server/internal/account"
	"social-server/internal/settings"
)

// everyTable makes a database in which every table has rows, with a revision of every
// hostile value, and closes it.
func everyTable(t *testing.T) (path, epoch string) {
	t.Helper()
	path = onFile.place(t)
	s, err := Open(t.Context(), path)
	must(t, err)
	ctx := t.Context()
	populate(t, s)
	for i, value := range []string{`1`, `null`, `"\u0000"`, `"é😀"`, `-0`, `"` + strings.Repeat("x", 8000) + `"`, `"\\N\t\\."`} {
		commit(t, s, write("u_1", "d_1", fmt.Sprint("p", i), fmt.Sprintf(`{"user":{"k%d":%s},"billing":{"salary":%d}}`, i, value, i)))
	}
	commit(t, s, write("u_2", "d_2", "p", `{"billing":{"salary":1}}`))
	must(t, s.CreateAccount(ctx, account.Account{ID: "a_2", Email: "b@example.org", PasswordHash: "y", CreatedAt: noon}, deviceOf("a_2", "d_3"), false))
	must(t, s.CreateLogin(ctx, account.Login{ID: "l_1", DeviceID: "d_3", TokenHash: "h", RotatedAt: noon, CreatedAt: noon}, "p", noon))
	must(t, s.CreateAsk(ctx, account.Ask{ID: "q_1", Username: "testuser6", UserID: "u_1", AccountID: "a_2", DeviceID: "d_3", Code: "12", State: account.AskWaiting, At: noon, Expires: noon.Add(time.Hour)}))
	must(t, s.CreateAsk(ctx, account.Ask{ID: "q_2", Username: "nobody", AccountID: "a_2", DeviceID: "d_3", Code: "13", State: account.AskWaiting, At: noon, Expires: noon.Add(time.Hour)}))
	must(t, s.Block(ctx, "u_2", "a_2", noon))
	must(t, s.Invite(ctx, account.Invitation{UserID: "u_1", DeviceID: "d_1", CodeHash: "c", Expires: noon.Add(time.Hour)}, noon))
	must(t, s.PutResetCode(ctx, "a_1", "r", noon.Add(time.Hour)))
	for i := range 3 {
		must(t, s.Record(ctx, account.Event{AccountID: "a_1", Event: "login", Detail: fmt.Sprint(i), At: noon}, time.Time{}, 9))
	}
	epoch, err = s.Epoch(ctx)
	must(t, err)
	must(t, s.Close())
	return path, epoch
}

// A copy has all of it, under the same epoch, and life goes on there.
func TestCopyToPostgres(t *testing.T) {
	path, epoch := everyTable(t)
	backup := filepath.Join(t.TempDir(), "backup.db")
	if _, err := Backup(t.Context(), path, backup); err != nil {
		t.Fatal(err)
	}
	for name, from := range map[string]string{"a database": path, "a backup": backup} {
		t.Run(name, func(t *testing.T) {
			url, ctx := onServer.place(t), t.Context()
			must(t, onServer.openAt(t, url).Close()) // a server that was started and has an epoch is as good as none
			held, err := CopyToPostgres(ctx, from, url)
			if err != nil || held.Epoch != epoch || held.Users != 2 || held.Devices != 3 || held.Revisions != 8 || held.Bytes == 0 {
				t.Fatalf("%v, %v", held, err)
			}
			original, s := openAt(t, from), onServer.openAt(t, url)
			if got, want := everything(t, s, ""), everything(t, original, ""); got != want {
				t.Errorf("copied\n%s\nof\n%s", got, want)
			}
			for _, table := range tables {
				var n, m int
				must(t, original.read.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n))
				must(t, s.read.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&m))
				if n == 0 || n != m {
					t.Errorf("%s has %d rows, and %d", table, n, m)
				}
			}
			if o := commit(t, s, write("u_1", "d_1", "p6", `{"user":{"k6":"\\N\t\\."},"billing":{"salary":6}}`))[0]; !o.Duplicate {
				t.Errorf("an answer was lost: %+v", o)
			}
			if o := commit(t, s, revert("u_1", "d_1", "back", settings.Revert{Revision: 6, Whole: true}))[0]; o.Answer.Revision != 8 || o.Epoch != epoch {
				t.Errorf("%+v", o)
			}
			must(t, s.Record(ctx, account.Event{AccountID: "a_1", Event: "login", Detail: "later", At: noon}, time.Time{}, 9))
			if got := s.log(t, "a_1", "", 0, time.Time{}, 9); !reflect.DeepEqual(got, []string{"4 login later", "3 login 2", "2 login 1", "1 login 0"}) {
				t.Errorf("the log is %q", got)
			}
			must(t, original.Close())
			if _, err := CopyToPostgres(ctx, from, url); err == nil || !strings.Contains(err.Error(), "not empty") {
				t.Errorf("once more: %v", err)
			}
		})
	}
}

// What cannot be copied is refused, in words, and leaves nothing behind.
func TestCopyToPostgresRefuses(t *testing.T) {
	path, _ := everyTable(t)
	ctx, url := t.Context(), onServer.place(t)
	refused := func(what, path, want string) {
		t.Helper()
		_, err := CopyToPostgres(ctx, path, url)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %s", what, err, want)
		}
		if n := ask(t, url, "SELECT ((SELECT count(*) FROM accounts) + (SELECT count(*) FROM settings) + (SELECT count(*) FROM epoch))::text"); n != "0" {
			t.Errorf("%s: %s rows were left", what, n)
		}
	}
	refused("no database", filepath.Join(t.TempDir(), "none.db"), "no database to copy")
	server := openAt(t, path)
	refused("a server runs on it", path, "in use by another social-server")
	must(t, server.Close())
	odd := filepath.Join(t.TempDir(), "odd.db")
	mustWrite(t, odd, strings.Repeat("no database ", 1000))
	refused("no database of ours", odd, "cannot be copied")
	for what, harm := range map[string]string{
		"changed":   "NEW.value = NEW.value || ' '; RETURN NEW",
		"left out":  "IF NEW.key = 'k3' THEN RETURN NULL; END IF; RETURN NEW",
		"in a case": "NEW.key = upper(NEW.key); RETURN NEW",
	} { // on the way
		execute(t, url, "CREATE OR REPLACE FUNCTION harm() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "+harm+"; END $$;"+
			" CREATE OR REPLACE TRIGGER harm BEFORE INSERT ON settings FOR EACH ROW EXECUTE FUNCTION harm()")
		refused(what, path, "copy settings: the copy differs at u_1")
	}
	execute(t, url, "DROP FUNCTION harm CASCADE")
	older := filepath.Join(t.TempDir(), "older.db")
	makeVersion(t, older, 2)
	refused("an older version", older, "of an older version of this program")
}

// Every table is copied, and both databases have the same columns.
func TestTablesAreTheSame(t *testing.T) {
	file, server := onFile.open(t), onServer.open(t)
	list := func(s *Store, question string, args ...any) (all []string) {
		t.Helper()
		rows, err := s.read.QueryContext(t.Context(), question, args...)
		must(t, err)
		defer rows.Close()
		for rows.Next() {
			var name string
			must(t, rows.Scan(&name))
			all = append(all, name)
		}
		must(t, rows.Err())
		return all
	}
	known := map[string]bool{}
	for _, table := range tables {
		known[table] = true
		want := list(file, "SELECT name || ' ' || lower(replace(type, 'INTEGER', 'bigint')) || CASE WHEN \"notnull\" OR pk THEN '' ELSE ' or null' END"+
			" FROM pragma_table_info(?) ORDER BY cid", table)
		got := list(server, "SELECT column_name || ' ' || data_type || CASE is_nullable WHEN 'NO' THEN '' ELSE ' or null' END"+
			" FROM information_schema.columns WHERE table_name = $1 AND table_schema = 'public' ORDER BY ordinal_position", table)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: PostgreSQL has %q, SQLite %q", table, got, want)
		}
	}
	for _, name := range append(list(file, "SELECT name FROM sqlite_master WHERE type = 'table'"),
		list(server, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")...) {
		if !known[name] && name != "goose_db_version" && name != "sqlite_sequence" {
			t.Errorf("%s is not copied", name)
		}
	}
	if odd := list(server, "SELECT table_name || '.' || column_name FROM information_schema.columns"+
		" WHERE table_schema = 'public' AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C' AND table_name <> 'goose_db_version'"); len(odd) > 0 {
		t.Errorf("not compared byte for byte: %q", odd)
	}
}

// A digest tells any two tables apart that differ.
func TestFingerprint(t *testing.T) {
	of := func(rows ...[]any) *fingerprint {
		f := &fingerprint{}
		for _, row := range rows {
			f.add(row)
		}
		return f
	}
	base := func() *fingerprint {
		return of([]any{"u", int64(1), "a"}, []any{"u", int64(2), nil}, []any{"v", int64(1), ""})
	}
	if err := base().compare(base()); err != nil {
		t.Error(err)
	}
	for name, other := range map[string]*fingerprint{
		"nothing":         of(),
		"one less":        of([]any{"u", int64(1), "a"}, []any{"u", int64(2), nil}),
		"less of one":     of([]any{"u", int64(1), "a"}, []any{"v", int64(1), ""}),
		"NULL for empty":  of([]any{"u", int64(1), "a"}, []any{"u", int64(2), nil}, []any{"v", int64(1), nil}),
		"text for number": of([]any{"u", "1", "a"}, []any{"u", int64(2), nil}, []any{"v", int64(1), ""}),
		"another order":   of([]any{"u", int64(2), nil}, []any{"u", int64(1), "a"}, []any{"v", int64(1), ""}),
		"shifted":         of([]any{"u", int64(1), "a"}, []any{"u", int64(2), nil}, []any{"v1 ", int64(1), ""}),
	} {
		if base().compare(other) == nil {
			t.Errorf("%s is the same", name)
		}
	}
}
