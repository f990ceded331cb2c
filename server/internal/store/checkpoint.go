package store

import (
	"context"
	"database/sql"
	"sync/atomic"
)

// checkpointRows is how many rows are written before they are moved from the WAL
// into the database: with one patch to a commit, 32 MiB of WAL. With 1,000 busy users
// a page is in it twice by then, and is moved once.
const checkpointRows = 4000

// sqlCheckpoint moves what is in the WAL into the database. Nobody waits for it
// but who asks; nor does it wait.
const sqlCheckpoint = "PRAGMA wal_checkpoint(PASSIVE)"

// checkpointer moves what is in the WAL into the database beside the writer.
// Left to SQLite, one commit in 700 does it: with 1,000 busy users that took 25 ms,
// and everybody waited. What was written meanwhile is left to the writer, for only
// when nothing is left does the WAL begin anew. Where it fails, the WAL grows: the
// next one may succeed, and the writer tries at four times the size (writerRoom).
type checkpointer struct {
	rows int           // written since; belongs to whoever holds the writing connection
	due  chan struct{} // holds a token when it is time
	rest atomic.Bool   // it is done but for what was written meanwhile
	stop context.CancelFunc
	done chan struct{} // closed when the goroutine has ended
}

// newCheckpointer starts the goroutine, which uses a connection of db now and
// then; close ends it.
func newCheckpointer(db *sql.DB) *checkpointer {
	ctx, stop := context.WithCancel(context.Background())
	c := &checkpointer{due: make(chan struct{}, 1), stop: stop, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		for {
			select {
			case <-c.due:
			case <-ctx.Done():
				return
			}
			_, err := db.ExecContext(ctx, sqlCheckpoint)
			c.rest.Store(err == nil)
		}
	}()
	return c
}

func (c *checkpointer) close() {
	c.stop()
	<-c.done
}

// wrote counts rows.
func (c *checkpointer) wrote(rows int) {
	if c.rows += rows; c.rows < checkpointRows {
		return
	}
	select {
	case c.due <- struct{}{}:
		c.rows = 0
	default: // it is at it
	}
}
