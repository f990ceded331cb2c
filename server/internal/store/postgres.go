package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// Bounds on waiting for PostgreSQL. A request must end within five seconds even
// if the server stands still, and a patch may wait for the group before its own:
// hence a group, or a first word of the server, gets half of that.
const (
	patience      = 4 * time.Second
	groupPatience = 2500 * time.Millisecond
	connectWithin = 2 * time.Second
)

// MinConnections is the fewest connections that OpenPostgres may be given.
const MinConnections = groupConnections + 2

// groupConnections are set aside for group commits: one commits at a time, and
// the second is there when the first was lost. No other work can starve them.
const groupConnections = 2

// connectionLife is how long a connection is used, so that a change of the
// server's address, or of its settings, gets through in time.
const connectionLife = 15 * time.Minute

// oldestPostgres is the first version that is maintained as this is written.
const oldestPostgres = 130000

// onPostgres is the dialect of PostgreSQL. Transactions that write are
// serializable: what holds because SQLite has one writer holds here as well.
var onPostgres = dialect{
	orm:      "postgres",
	writing:  &sql.TxOptions{Isolation: sql.LevelSerializable},
	reading:  &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
	patience: patience,
	folded:   func(column string) string { return "lower(" + column + ")" }, // of ASCII only, as they are COLLATE "C"
	name:     `lower(? COLLATE "C")`,
	elements: "json_array_elements(?::json)",
	locked:   " FOR NO KEY UPDATE OF d",
}

// OpenPostgres opens the PostgreSQL database at a URL, which several servers may
// share, and brings its tables up to date. It uses at most connections
// connections. The caller must Close it. It refuses a database of a newer
// program, and a server that is a replica or may forget what it has acknowledged.
func OpenPostgres(ctx context.Context, url string, connections int) (*Store, error) {
	if connections < MinConnections {
		return nil, fmt.Errorf("%d connections are too few: %d are needed", connections, MinConnections)
	}
	s := &Store{dialect: &onPostgres}
	if err := s.openPostgres(ctx, url, connections); err != nil {
		return nil, errors.Join(plainly(err), s.Close())
	}
	return s, nil
}

func (s *Store) openPostgres(ctx context.Context, url string, connections int) (err error) {
	if err := preparePostgres(ctx, url); err != nil {
		return err
	}
	if s.write, err = postgresPool(url, connections-groupConnections, patience); err != nil {
		return err
	}
	s.read = s.write
	// A connection that was lost shows when a group begins, which then takes
	// another one: it need not be asked first.
	never := stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false })
	groups, err := postgresPool(url, groupConnections, groupPatience, never)
	if err != nil {
		return err
	}
	s.groups = &postgresGroups{groups}
	if err := startEpoch(ctx, s.write); err != nil {
		return err
	}
	if err := s.prepareReads(ctx); err != nil {
		return err
	}
	return s.fillKeys(ctx)
}

// preparePostgres looks at the server and brings its tables up to date, on
// connections without a bound: both may take their time.
func preparePostgres(ctx context.Context, url string) error {
	db, err := postgresPool(url, 2, 0)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := checkPostgres(ctx, db); err != nil {
		return err
	}
	version, err := postgresSchema.version(ctx, db)
	if err != nil {
		return err
	}
	newest, err := postgresSchema.newest()
	if err != nil || version == newest {
		return err
	}
	return postgresSchema.migrate(ctx, db, goose.WithSessionLocker(oneMigrates{}))
}

// postgresPool returns connections whose statements take no longer than most,
// if that is not 0.
func postgresPool(url string, size int, most time.Duration, options ...stdlib.OptionOpenDB) (*sql.DB, error) {
	cfg, err := postgresConfig(url)
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]time.Duration{
		"statement_timeout": most, "lock_timeout": most * 3 / 4, "idle_in_transaction_session_timeout": most,
	} {
		cfg.RuntimeParams[name] = strconv.FormatInt(value.Milliseconds(), 10)
	}
	// Every query here has its index. To read a whole table instead, because it
	// is small as yet, would be to depend on all that others do to it: a
	// serializable transaction that did would have to be run again and again.
	cfg.RuntimeParams["enable_seqscan"] = "off"
	cfg.RuntimeParams["jit"] = "off" // made for long queries: to compile one takes longer than ours take
	db := stdlib.OpenDB(*cfg, options...)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	db.SetConnMaxLifetime(connectionLife)
	return db, nil
}

// postgresConfig returns how to connect to the database at a URL.
func postgresConfig(url string) (*pgx.ConnConfig, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil { // its text has too much of the URL in it
		return nil, errors.New("this is not the address of a PostgreSQL database, like postgres://user:password@host:5432/name")
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectWithin
	}
	if cfg.ValidateConnect == nil { // several hosts may be named: the one that takes writes is meant
		cfg.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	cfg.RuntimeParams["application_name"] = "social-server"
	cfg.RuntimeParams["default_transaction_isolation"] = "read committed"
	return cfg, nil
}

// checkPostgres refuses a server that cannot keep what it acknowledges.
func checkPostgres(ctx context.Context, db *sql.DB) error {
	var version int
	var fsync, commit, encoding string
	var replica bool
	err := db.QueryRowContext(ctx, "SELECT current_setting('server_version_num')::int, current_setting('fsync'),"+
		" current_setting('synchronous_commit'), current_setting('server_encoding'), pg_is_in_recovery()").
		Scan(&version, &fsync, &commit, &encoding, &replica)
	switch {
	case err != nil:
		return err
	case version < oldestPostgres:
		return fmt.Errorf("PostgreSQL %d is too old: %d or newer is needed", version/10000, oldestPostgres/10000)
	case replica:
		return errors.New("this server is a replica: name the one that takes writes")
	case fsync != "on":
		return fmt.Errorf("fsync is %s: the server would forget acknowledged changes in a power cut, turn it on", fsync)
	case commit != "on" && commit != "remote_apply":
		return fmt.Errorf("synchronous_commit is %s: the server would forget acknowledged changes in a crash, set it to on", commit)
	case encoding != "UTF8":
		return fmt.Errorf("the database is encoded in %s: create it with ENCODING 'UTF8'", encoding)
	}
	return nil
}

// oneMigrates lets one of several servers that start at once migrate; the others
// wait, and find nothing left to do.
type oneMigrates struct{}

// migrationLock is the number of the advisory lock, the same in all versions.
const migrationLock = 7093516208

// SessionLock waits for the lock.
func (oneMigrates) SessionLock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", migrationLock)
	return err
}

// SessionUnlock gives it back.
func (oneMigrates) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", migrationLock)
	return err
}

// plainly says in one line, without an address, why a database cannot be opened.
func plainly(err error) error {
	var pg *pgconn.PgError
	var connecting *pgconn.ConnectError
	switch {
	case errors.As(err, &pg):
		return fmt.Errorf("PostgreSQL says: %s (%s)", strings.ReplaceAll(pg.Message, "\n", " "), pg.Code)
	case errors.Is(err, pgconn.ErrReadOnlyConnection):
		return errors.New("this server is a replica or read-only: name the one that takes writes")
	case errors.As(err, &connecting) && errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("PostgreSQL does not answer within %v", connectWithin)
	case errors.As(err, &connecting):
		return fmt.Errorf("PostgreSQL cannot be reached: %w", innermost(err))
	}
	return err
}

// innermost returns the first cause of an error: of a failed connection, what
// the operating system said.
func innermost(err error) error {
	for {
		switch wrapped := err.(type) {
		case interface{ Unwrap() error }:
			inner := wrapped.Unwrap()
			if inner == nil {
				return err
			}
			err = inner
		case interface{ Unwrap() []error }:
			err = wrapped.Unwrap()[0]
		default:
			return err
		}
	}
}
