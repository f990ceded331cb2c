package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	neturl "net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jinzhu/gorm"

	"social-server/internal/backing"
	"social-server/internal/errs"
	"social-server/internal/settings"
)

// ask returns the one text that a question is answered with.
func ask(t testing.TB, url, question string) (answer string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if err := conn.QueryRow(t.Context(), question).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// Both pools have bounds that the server keeps as well, and no statement of
// another program's configuration.
func TestSettingsOfBothPools(t *testing.T) {
	s := onServer.open(t)
	tests := map[string]struct{ work, groups string }{
		"statement_timeout":                   {"4s", "2500ms"},
		"lock_timeout":                        {"3s", "1875ms"},
		"idle_in_transaction_session_timeout": {"4s", "2500ms"},
		"default_transaction_isolation":       {"read committed", "read committed"},
		"application_name":                    {"social-server", "social-server"},
		"enable_seqscan":                      {"off", "off"},
		"synchronous_commit":                  {"on", "on"},
	}
	for name, want := range tests {
		for db, want := range map[*sql.DB]string{s.write: want.work, s.groups.(*postgresGroups).db: want.groups} {
			var got string
			if err := db.QueryRowContext(t.Context(), "SHOW "+name).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %s, %v, want %s", name, got, err, want)
			}
		}
	}
}

// What is refused is refused in one line that tells nothing of the URL.
func TestOpenPostgresRefuses(t *testing.T) {
	p := postgres(t)
	url, name := p.URL(""), fmt.Sprint("refused_", databases.Add(1))
	if err := p.CreateDatabase(t.Context(), name, "template"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { execute(t, p.URL("postgres"), "DROP DATABASE "+name+" WITH (FORCE)") })
	with := func(setting string) string {
		return p.URL(name) + "&options=" + strings.ReplaceAll(neturl.QueryEscape("-c "+setting), "+", "%20")
	}
	execute(t, p.URL("postgres"), "DROP DATABASE IF EXISTS latin")
	execute(t, p.URL("postgres"), "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
	tests := map[string]struct {
		url         string
		connections int
		want        string
	}{
		"too few connections": {p.URL(name), MinConnections - 1, "are needed"},
		"no URL":              {"postgres://secret:secret@[", 9, "not the address of a PostgreSQL database"},
		"nobody there":        {"postgres://social:secret@127.0.0.1:1/secret", 9, "connection refused"},
		"no such database":    {url + "secret", 9, "PostgreSQL"},
		"asynchronous":        {with("synchronous_commit=off"), 9, "synchronous_commit is off"},
		"only local":          {with("synchronous_commit=local"), 9, "synchronous_commit is local"},
		"read-only":           {with("default_transaction_read_only=on"), 9, "replica or read-only"},
		"another encoding":    {p.URL("latin"), 9, "encoded in LATIN1"},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			s, err := OpenPostgres(t.Context(), tt.url, tt.connections)
			if err == nil {
				_ = s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), "secret:") {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	execute(t, p.URL(name), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)")
	if _, err := OpenPostgres(t.Context(), p.URL(name), 9); err == nil || !strings.Contains(err.Error(), "newer social-server (its tables are version 99") {
		t.Errorf("a newer database: %v", err)
	}
}

// A server that would forget is refused.
func TestForgetfulServerIsRefused(t *testing.T) {
	p, err := backing.StartPostgres(t.Context(), t.TempDir(), "fsync=off")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { must(t, p.Stop()) }()
	if _, err := OpenPostgres(t.Context(), p.URL("postgres"), 9); err == nil || !strings.Contains(err.Error(), "fsync is off") {
		t.Errorf("got %v", err)
	}
}

// Many nodes that start at once on a new database make its tables once.
func TestManyNodesOpenAtOnce(t *testing.T) {
	p, name := postgres(t), fmt.Sprint("fresh_", databases.Add(1))
	if err := p.CreateDatabase(t.Context(), name, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { execute(t, p.URL("postgres"), "DROP DATABASE "+name+" WITH (FORCE)") })
	var all sync.WaitGroup
	epochs := make(chan string, 12)
	for range cap(epochs) {
		all.Go(func() {
			s, err := OpenPostgres(t.Context(), p.URL(name), MinConnections)
			if err != nil {
				t.Error(err)
				return
			}
			epoch, err := s.Epoch(t.Context())
			if err := errors.Join(err, s.Close()); err != nil {
				t.Error(err)
			}
			epochs <- epoch
		})
	}
	all.Wait()
	close(epochs)
	first := <-epochs
	for epoch := range epochs {
		if epoch != first || epoch == "" {
			t.Errorf("epochs %q and %q", first, epoch)
		}
	}
}

// No more connections are used than were given, and accounts that use all of
// theirs do not keep a group from being committed.
func TestConnectionsAreBounded(t *testing.T) {
	url := onServer.place(t)
	s := onServer.openAt(t, url)
	populate(t, s)
	var busy, all sync.WaitGroup
	free := make(chan struct{})
	for range testConnections - groupConnections {
		busy.Add(1)
		all.Go(func() {
			if err := s.inSnapshot(t.Context(), func(tx *gorm.DB) error { busy.Done(); <-free; return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	busy.Wait()
	commit(t, s, write("u_1", "d_1", "a", `{"billing":{"salary":1}}`))
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Account(short, "a_1"); !errs.Is(err, errs.Unavailable) {
		t.Errorf("one more: %v", err)
	}
	if n := ask(t, url, "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'social-server'"); n > fmt.Sprint(testConnections) {
		t.Errorf("%s connections", n)
	}
	close(free)
	all.Wait()
}

// Names are found by their index.
func TestNamesAreFoundByIndex(t *testing.T) {
	url := onServer.place(t)
	s := onServer.openAt(t, url)
	for table, column := range map[string]string{"devices": "name", "users": "username", "asks": "username"} {
		condition := numbered(s.dialect.named(column))
		switch table {
		case "devices":
			condition += " AND revoked_at IS NULL"
		case "asks":
			condition += " AND device_id = 'd' AND state = 'waiting'"
		}
		var plan string
		if err := s.write.QueryRowContext(t.Context(), "EXPLAIN (FORMAT JSON) SELECT * FROM "+table+" WHERE "+strings.ReplaceAll(condition, "$1", "'X'")).Scan(&plan); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(plan, "lower(") || !strings.Contains(plan, `"Index Cond": "(`) || !strings.Contains(plan[strings.Index(plan, "Index Cond"):], "lower(") {
			t.Errorf("%s: %s", table, plan)
		}
	}
}

// [S-PG-7] Every kind of failure, as PostgreSQL itself reports it.
func TestTranslatePostgres(t *testing.T) {
	s := onServer.open(t)
	tests := map[string]errs.Code{
		"40001": errs.Unavailable, "40P01": errs.Unavailable, "0A000": errs.Unavailable,
		"53000": errs.Unavailable, "53100": errs.StorageFull, "53200": errs.Unavailable, "53300": errs.Unavailable, "53400": errs.Unavailable,
		"25006": errs.Unavailable, "55P03": errs.Unavailable, "57014": errs.Unavailable, "57P01": errs.Unavailable, "57P02": errs.Unavailable,
		"57P03": errs.Unavailable, "57P05": errs.Unavailable, "08000": errs.Unavailable, "08006": errs.Unavailable, "08P01": errs.Unavailable,
		"22021": errs.NotFound, "23505": errs.Internal, "23503": errs.Internal, "42601": errs.Internal, "XX000": errs.Internal, "25P02": errs.Internal,
	}
	for code, want := range tests {
		t.Run(code, func(t *testing.T) {
			runs := 0
			err := s.inTx(t.Context(), func(tx *gorm.DB) error {
				runs++
				if runs > 3 {
					return errs.New(errs.Unavailable, "enough")
				}
				return tx.Exec("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '" + code + "'; END $$").Error
			})
			again := code == "40001" || code == "40P01" || code == "0A000" || code == "23505" || code == "23503"
			if again != (runs > 1) {
				t.Errorf("%s ran %d times", code, runs)
			}
			if got := errs.From(err); !again && (got.Code != want || (want == errs.Unavailable || want == errs.StorageFull) && got.RetryAfter <= 0) {
				t.Errorf("%s is %v, want %s", code, err, want)
			}
		})
	}
	unique := func() error {
		return s.inTx(t.Context(), func(tx *gorm.DB) error {
			return unlessTaken(tx.Exec(`INSERT INTO epoch ("only", epoch) VALUES (1, 'x')`).Error, "field")
		})
	}
	wantCode(t, "a row that exists", unique(), errs.Conflict)
	statement := func(text string) error {
		return s.inTx(t.Context(), func(tx *gorm.DB) error { return tx.Exec(text).Error })
	}
	wantCode(t, "too slow", statement("SET LOCAL statement_timeout = '20ms'; SELECT pg_sleep(1)"), errs.Unavailable)
	wantCode(t, "a replica", statement("SET TRANSACTION READ ONLY; UPDATE epoch SET epoch = 'x'"), errs.Unavailable)
	wantCode(t, "killed", statement("SELECT pg_terminate_backend(pg_backend_pid())"), errs.Unavailable)
	must(t, s.Ping(t.Context()))
}

// [S-PG-7] A group that PostgreSQL rolled back is tried again, three times in all.
func TestGroupIsTriedAgain(t *testing.T) {
	url := onServer.place(t)
	s := onServer.openAt(t, url)
	populate(t, s)
	execute(t, url, "CREATE SEQUENCE fails; CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"+
		" IF nextval('fails') % 3 > 0 THEN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END IF; RETURN NEW; END $$;"+
		" CREATE TRIGGER fail BEFORE INSERT ON patches FOR EACH ROW EXECUTE FUNCTION fail()")
	if o := commit(t, s, write("u_1", "d_1", "a", `{"billing":{"salary":1}}`))[0]; o.Answer.Revision != 1 || o.Duplicate {
		t.Errorf("%+v", o)
	}
	execute(t, url, "ALTER SEQUENCE fails INCREMENT 3; SELECT setval('fails', 1)") // none of what follows is a multiple of 3
	if _, err := s.Commit(t.Context(), []*settings.Write{write("u_1", "d_1", "b", `{"billing":{"salary":2}}`)}, settings.DefaultLimits); !errs.Is(err, errs.Unavailable) {
		t.Errorf("one that fails for ever: %v", err)
	}
	if n := ask(t, url, "SELECT last_value::text FROM fails"); n != "10" { // 1, and three times 3
		t.Errorf("the sequence is at %s", n)
	}
	checkDense(t, s, "u_1")
}
