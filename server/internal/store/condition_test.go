package store

import (
	"strings"
	"testing"
	"time"
)

// A database tells what it is, how it keeps what it was given, and the time.
func TestCondition(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := on.open(t)
		c, err := s.Condition(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"SQLite": "journal_mode=wal, synchronous=2", "PostgreSQL": "fsync=on, synchronous_commit=on"}
		if !strings.HasPrefix(c.Engine, on.name+" ") || c.Durable != want[on.name] {
			t.Errorf("%+v", c)
		}
		if on.name == "PostgreSQL" && time.Since(c.Clock).Abs() > time.Minute || on.name == "SQLite" && !c.Clock.IsZero() {
			t.Errorf("its clock says %v", c.Clock)
		}
		pools := s.Pools()
		if len(pools) != 2 {
			t.Errorf("%d pools", len(pools))
		}
		for name, stats := range pools {
			if stats().MaxOpenConnections < 1 {
				t.Errorf("the pool %s has no bound", name)
			}
		}
	})
}
