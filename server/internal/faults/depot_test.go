package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"social-server/internal/backing"
)

// users are those of a cluster; all devices have joined all of them.
var users = []string{user, "TestUser7", "TestUser8"}

// depot is a PostgreSQL server with a database to copy: of registered devices
// that have joined every user.
type depot struct {
	*backing.Postgres
	devices []Device
	copies  atomic.Int64
}

// template is the name of the database to copy.
const templateDatabase = "template"

// shared is the depot of all tests that leave PostgreSQL itself alone.
var shared = sync.OnceValues(func() (*depot, error) {
	ctx := context.Background()
	p, err := backing.StartPostgres(ctx, scratch, postgresSettings...)
	if err != nil {
		return nil, err
	}
	endShared = p.StopNow
	if err := p.CreateDatabase(ctx, templateDatabase, ""); err != nil {
		return nil, err
	}
	d := &depot{Postgres: p}
	d.devices, err = populate(ctx, filepath.Join(scratch, "depot"), users,
		"DATABASE_URL="+p.URL(templateDatabase), "JWT_SECRET="+signingKey)
	return d, err
})

// endShared stops what shared started, if it did.
var endShared = func() error { return nil }

// postgresSettings make room for the nodes of many tests at once.
var postgresSettings = []string{"max_connections=400"}

// newDepot starts a PostgreSQL server for a test that breaks it, and stops it at
// the end. Its database comes from the shared one: passwords are slow.
func newDepot(t *testing.T) *depot {
	t.Helper()
	from, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	p, err := backing.StartPostgres(t.Context(), t.TempDir(), postgresSettings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(p.Thaw(), p.StopNow()); err != nil {
			t.Error(err)
		}
	})
	dump, err := templateDump()
	if err == nil {
		err = p.CreateDatabase(t.Context(), templateDatabase, "")
	}
	if err == nil {
		err = execute(t.Context(), p.URL(templateDatabase), dump)
	}
	if err != nil {
		t.Fatal(err)
	}
	return &depot{Postgres: p, devices: from.devices}
}

// templateDump is the shared template as SQL.
var templateDump = sync.OnceValues(func() (string, error) {
	from, err := shared()
	if err != nil {
		return "", err
	}
	dump := exec.Command("pg_dump", "--no-owner", "--inserts", from.URL(templateDatabase))
	dump.Dir, dump.Env = scratch, os.Environ()
	var stderr bytes.Buffer
	dump.Stderr = &stderr
	text, err := dump.Output()
	if err != nil {
		return "", fmt.Errorf("pg_dump: %w: %s", err, stderr.String())
	}
	return forPsql.ReplaceAllString(string(text), ""), nil
})

// forPsql matches the lines of a dump that are not SQL.
var forPsql = regexp.MustCompile(`(?m)^\\.*$`)

// execute runs a text of many statements.
func execute(ctx context.Context, address, text string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	_, err = conn.PgConn().Exec(ctx, text).ReadAll()
	return errors.Join(err, conn.Close(ctx))
}

// database makes a fresh copy of the template and returns its name.
func (d *depot) database(ctx context.Context) (string, error) {
	name := fmt.Sprintf("copy%d", d.copies.Add(1))
	return name, d.CreateDatabase(ctx, name, templateDatabase)
}

// through returns the DATABASE_URL of a database behind a proxy.
func (d *depot) through(p *Proxy, database string) string {
	return strings.Replace(d.URL(database), d.Addr(), p.Addr(), 1)
}
