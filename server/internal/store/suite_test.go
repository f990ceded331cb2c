package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"social-server/internal/backing"
)

// The contract suite runs on both databases: what a test sees through the
// store's API is the same on either, byte for byte.

// database is one that the suite runs on.
type database struct {
	name  string
	place func(t testing.TB) string // of a new database: a path or URL
	at    func(ctx context.Context, place string) (*Store, error)
}

var (
	onFile = database{"SQLite", func(t testing.TB) string { return filepath.Join(t.TempDir(), "data", "test.db") }, Open}

	onServer = database{"PostgreSQL", newDatabase, func(ctx context.Context, url string) (*Store, error) {
		return OpenPostgres(ctx, url, testConnections)
	}}
)

// testConnections is what a store of the tests may use.
const testConnections = 8

// each runs a test on both databases, beside other tests.
func each(t *testing.T, test func(t *testing.T, on database)) {
	t.Helper()
	t.Parallel()
	for _, on := range []database{onFile, onServer} {
		t.Run(on.name, func(t *testing.T) { test(t, on) })
	}
}

// open returns a new store of its own, closed when the test ends.
func (on database) open(t testing.TB) *Store {
	t.Helper()
	return on.openAt(t, on.place(t))
}

func (on database) openAt(t testing.TB, place string) *Store {
	t.Helper()
	s, err := on.at(t.Context(), place)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// server is the one PostgreSQL server of this test binary. It has a template:
// to copy a database that has its tables is faster than to migrate a new one.
var server = sync.OnceValues(func() (*backing.Postgres, error) {
	dir, err := os.MkdirTemp("", "store-test-")
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	p, err := backing.StartPostgres(ctx, dir, "max_connections=200")
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	stopServer = func() error { return errors.Join(p.Stop(), os.RemoveAll(dir)) }
	if err := p.CreateDatabase(ctx, "template", ""); err != nil {
		return nil, err
	}
	return p, preparePostgres(ctx, p.URL("template"))
})

// stopServer stops it, if it was started.
var stopServer = func() error { return nil }

func postgres(t testing.TB) *backing.Postgres {
	t.Helper()
	p, err := server()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var databases atomic.Int64 // made so far

// newDatabase returns the URL of a database with our tables and nothing in
// them. It is gone when the test ends.
func newDatabase(t testing.TB) string {
	t.Helper()
	p, name := postgres(t), fmt.Sprint("test_", databases.Add(1))
	if err := p.CreateDatabase(t.Context(), name, "template"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { execute(t, p.URL("postgres"), "DROP DATABASE "+name+" WITH (FORCE)") })
	return p.URL(name)
}

// execute runs a statement on a connection of its own.
func execute(t testing.TB, url, statement string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Error(err)
		return
	}
	_, err = conn.Exec(ctx, statement)
	if err := errors.Join(err, conn.Close(ctx)); err != nil {
		t.Error(err)
	}
}

// suite is the run of all tests, with the server's end.
type suite struct{ *testing.M }

// Run runs them.
func (s suite) Run() int {
	code := s.M.Run()
	if err := stopServer(); err != nil {
		fmt.Println(err)
		return 1
	}
	return code
}

func TestMain(m *testing.M) {
	if os.Getenv(killAt) != "" {
		restoreAndDie()
		return
	}
	goleak.VerifyTestMain(suite{m})
}
