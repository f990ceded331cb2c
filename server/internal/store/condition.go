package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Condition is how a database is, for whoever runs it.
type Condition struct {
	Engine  string    // with its version
	Durable string    // the settings by which a commit survives a power cut
	Clock   time.Time // the database's; zero if it has none but ours
}

// Condition looks at the database. That its settings are good was seen to when
// it was opened.
func (s *Store) Condition(ctx context.Context) (Condition, error) {
	if s.dialect == &onPostgres {
		return s.postgresCondition(ctx)
	}
	var version, journal string
	var synchronous int
	for query, into := range map[string]any{
		"SELECT sqlite_version()": &version, "PRAGMA journal_mode": &journal, "PRAGMA synchronous": &synchronous,
	} {
		if err := s.write.QueryRowContext(ctx, query).Scan(into); err != nil {
			return Condition{}, err
		}
	}
	return Condition{
		Engine:  "SQLite " + version,
		Durable: fmt.Sprintf("journal_mode=%s, synchronous=%d", journal, synchronous),
	}, nil
}

func (s *Store) postgresCondition(ctx context.Context) (c Condition, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT 'PostgreSQL ' || current_setting('server_version'),"+
		" 'fsync=' || current_setting('fsync') || ', synchronous_commit=' || current_setting('synchronous_commit'),"+
		" clock_timestamp()").Scan(&c.Engine, &c.Durable, &c.Clock)
	return c, err
}

// Pools are the pools of connections, by what they are for: how busy each is.
func (s *Store) Pools() map[string]func() sql.DBStats {
	if groups, ok := s.groups.(*postgresGroups); ok {
		return map[string]func() sql.DBStats{"work": s.write.Stats, "commits": groups.db.Stats}
	}
	return map[string]func() sql.DBStats{"write": s.write.Stats, "read": s.read.Stats}
}
