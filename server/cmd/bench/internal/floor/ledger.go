//go:build linux

package floor

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// groupSize bounds a transaction, so that none is long.
const groupSize = 256

// ledger stores changes in groups: what arrives while a commit is under way
// forms the next one. Only then is it delivered.
type ledger struct {
	db      *sql.DB
	delay   time.Duration
	deliver func(u *user, value []byte)

	mu    sync.Mutex // guards the following
	queue []entry
	fault error

	work chan struct{} // holds a token while the queue may have something
	stop chan struct{} // closed to end the committer
	done chan struct{} // closed when it has ended
}

type entry struct {
	user  *user
	value []byte
}

const tables = `CREATE TABLE state (user TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE history (number INTEGER PRIMARY KEY, user TEXT NOT NULL, value TEXT NOT NULL) STRICT;`

func openLedger(ctx context.Context, dir string, delay time.Duration, deliver func(*user, []byte)) (*ledger, error) {
	path := filepath.Join(dir, "floor.db")
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_journal_mode=WAL&_synchronous=FULL")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, tables); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	l := &ledger{db: db, delay: delay, deliver: deliver, work: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	put, err := db.PrepareContext(ctx, "INSERT INTO state VALUES (?, ?) ON CONFLICT (user) DO UPDATE SET value = excluded.value")
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	note, err := db.PrepareContext(ctx, "INSERT INTO history (user, value) VALUES (?, ?)")
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	go l.run(put, note)
	return l, nil
}

// add queues a change.
func (l *ledger) add(u *user, value []byte) {
	l.mu.Lock()
	l.queue = append(l.queue, entry{u, value})
	l.mu.Unlock()
	select {
	case l.work <- struct{}{}:
	default: // the committer has been told already
	}
}

func (l *ledger) take() []entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(l.queue), groupSize)
	group := l.queue[:n:n]
	if l.queue = l.queue[n:]; len(l.queue) == 0 {
		l.queue = nil
	}
	return group
}

// run commits one group after the other.
func (l *ledger) run(put, note *sql.Stmt) {
	defer close(l.done)
	for {
		select {
		case <-l.work:
		case <-l.stop:
			return
		}
		for group := l.take(); len(group) > 0; group = l.take() {
			if err := l.commit(group, put, note); err != nil {
				l.mu.Lock()
				l.fault = errors.Join(l.fault, err)
				l.mu.Unlock()
				continue // nobody is told what was not stored: the load will miss it
			}
			for _, e := range group {
				l.deliver(e.user, e.value)
			}
		}
	}
}

func (l *ledger) commit(group []entry, put, note *sql.Stmt) error {
	tx, err := l.db.Begin()
	if err != nil {
		return err
	}
	for _, e := range group {
		if _, err := tx.Stmt(put).Exec(e.user.name, string(e.value)); err != nil {
			return errors.Join(err, tx.Rollback())
		}
		if _, err := tx.Stmt(note).Exec(e.user.name, string(e.value)); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	if l.delay > 0 {
		time.Sleep(l.delay) // the figure under test, not a wait for something
	}
	return tx.Commit()
}

// close ends the committer and the database.
func (l *ledger) close() error {
	close(l.stop)
	<-l.done
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.fault, l.db.Close())
}
