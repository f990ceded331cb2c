package faults

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	randv2 "math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// S-PG-1: PostgreSQL crashes under load, again and again, and comes back:
// nothing acked is lost, writes succeed soon after, and neither a socket nor a
// node ends.
func TestPostgresCrashes(t *testing.T) {
	t.Parallel()
	c := newCluster(t, plan{depot: newDepot(t)})
	all := c.spread(6)
	l := paced(all[:4], 5*time.Millisecond)
	var slowest time.Duration
	runs, late := Runs(3, 50), 0
	for range runs {
		before := l.acked.Load()
		c.ok(Poll(t.Context(), patient, "writes", func() bool { return l.acked.Load() >= before+20 }))
		c.ok(c.depot.StopNow())
		pause(t.Context(), time.Duration(Runs(300, 5000))*time.Millisecond)
		c.ok(c.depot.Start(t.Context()))
		ready, stored := time.Now(), l.acked.Load()
		c.ok(Poll(t.Context(), patient, "the first write after the start", func() bool { return l.acked.Load() > stored }))
		took := time.Since(ready)
		if took > 2*time.Second {
			late++
		}
		slowest = max(slowest, took)
	}
	if late > runs/3 { // one may be late on a machine whose disk is busy with other tests
		t.Errorf("in %d of %d runs the first write took more than 2 s, up to %v", late, runs, slowest)
	}
	l.end()
	c.settled(all...)
	equal := c.converged(2*time.Second, all...)
	for _, one := range all {
		if opened, _, _, _ := one.Counts(); opened != 1 {
			t.Errorf("%s had %d connections", one.Name, opened)
		}
	}
	if c.A.Ended() || c.B.Ended() {
		t.Error("a node has ended")
	}
	c.judge()
	t.Logf("%+v, slowest first write %v after the start, equal after %v", c.Ledger.Tally(), slowest, equal)
}

// S-PG-2: the connection to PostgreSQL is lost exactly when COMMIT has left: the
// node cannot know the outcome, the device asks again, and is told the truth.
func TestCommitWithoutAnswer(t *testing.T) {
	t.Parallel()
	c := newCluster(t, plan{})
	device, watcher := c.client(0, c.at(c.A)), c.client(1, c.at(c.B))
	c.live(device, watcher)
	runs, stored := Runs(20, 200), 0
	for run := range runs {
		p := &Patch{ID: rand.Text(), Set: one(key(run%10), fmt.Sprintf(`"run %d"`, run))}
		c.cutCommitOf(p)
		c.acked(device.Submit(p))
		if fired := c.A.postgres.Fired(); fired != run+1 {
			t.Fatalf("run %d is INVALID: %d commits were cut off", run, fired)
		}
		if p.Revision != uint64(run+1) {
			t.Errorf("run %d was acked at %d", run, p.Revision)
		}
		if p.Duplicate {
			stored++
		}
	}
	if stored == 0 {
		t.Error("INVALID: no cut commit was ever executed")
	}
	c.converged(2*time.Second, device, watcher)
	if rows := c.judge(); rows.Revision != uint64(runs) {
		t.Errorf("head %d after %d patches", rows.Revision, runs)
	}
	t.Logf("%d commits cut off, %d of them stored at the first try, %+v", runs, stored, c.Ledger.Tally())
}

// cutCommitOf cuts A from PostgreSQL when the COMMIT that follows a patch has left.
func (c *cluster) cutCommitOf(p *Patch) {
	c.A.postgres.CutUp(func(sent []byte) bool {
		_, after, found := bytes.Cut(sent, []byte(p.ID))
		return found && bytes.Contains(after, executesCommit)
	})
}

// executesCommit is what is on the wire when pgx executes a COMMIT it has
// prepared: the empty name of a portal, and the name it gives the statement.
var executesCommit = []byte(fmt.Sprintf("\x00stmtcache_%x\x00", first24(sha256.Sum256([]byte("COMMIT")))))

func first24(sum [sha256.Size]byte) []byte { return sum[:24] }

// S-PG-3: PostgreSQL is held still, all of it: requests fail in time, nothing
// piles up, and afterwards all goes on without a leak.
func TestPostgresFrozen(t *testing.T) {
	t.Parallel()
	c := newCluster(t, plan{depot: newDepot(t)})
	all := c.spread(4)
	c.put(all[0], key(0), `"before"`)
	calm := c.A.gauge(t, "go_goroutines")
	c.ok(c.depot.Freeze())
	const waiting = 40
	var asked sync.WaitGroup
	answers := make(chan time.Duration, waiting)
	for i := range waiting {
		asked.Go(func() {
			begin := time.Now()
			status, _, err := Do(t.Context(), c.A.Addr(), c.rest(0, &Patch{ID: rand.Text(), Set: one(key(i), "1")}))
			if err != nil || status != http.StatusServiceUnavailable {
				t.Errorf("request %d: %d %v", i, status, err)
			}
			answers <- time.Since(begin)
		})
	}
	var most float64
	for frozen := time.Now(); time.Since(frozen) < time.Duration(Runs(6, 20))*time.Second; {
		most = max(most, c.A.gauge(t, "go_goroutines"))
		pause(t.Context(), 250*time.Millisecond)
	}
	c.ok(c.depot.Thaw())
	thawed := time.Now()
	asked.Wait()
	close(answers)
	var slowest time.Duration
	for took := range answers {
		slowest = max(slowest, took)
	}
	c.put(all[0], key(1), `"after"`)
	c.put(all[1], key(2), `"after"`)
	back := time.Since(thawed)
	if slowest > 5500*time.Millisecond || back > 2*time.Second || most > calm+4*waiting {
		t.Errorf("requests failed within %v, the next write took %v, goroutines went from %v to %v", slowest, back, calm, most)
	}
	c.noLeak()
	c.converged(2*time.Second, all...)
	t.Logf("%d requests failed within %v, first write %v after the thaw, goroutines %v → %v", waiting, slowest, back, calm, most)
}

// noLeak waits until no connection to PostgreSQL is left inside a transaction.
func (c *cluster) noLeak() {
	c.Helper()
	conn, err := pgx.Connect(c.Context(), c.data.address)
	c.ok(err)
	defer func() { c.ok(conn.Close(context.Background())) }()
	c.ok(Poll(c.Context(), 5*time.Second, "no transaction is left open", func() bool {
		var open int
		err := conn.QueryRow(c.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"+
			" AND pid <> pg_backend_pid() AND state <> 'idle' AND backend_type = 'client backend'").Scan(&open)
		return err == nil && open == 0
	}))
}

// S-PG-6: a transaction of somebody else takes the user's next revision and
// holds it for a while, then gives it up, while both nodes write: revisions stay
// dense, and no device is shown one that is not stored.
func TestRevisionHeldOpen(t *testing.T) {
	t.Parallel()
	c := newCluster(t, plan{})
	all := c.spread(6)
	l := write(all[:4])
	conn, err := pgx.Connect(t.Context(), c.data.address)
	c.ok(err)
	defer func() { c.ok(conn.Close(context.Background())) }()
	for range Runs(60, 1000) {
		tx, err := conn.Begin(t.Context())
		c.ok(err)
		_, err = tx.Exec(t.Context(), "UPDATE users SET revision = revision + 1 WHERE username = $1", user)
		c.ok(err)
		pause(t.Context(), time.Duration(randv2.IntN(30))*time.Millisecond)
		c.ok(tx.Rollback(t.Context()))
		pause(t.Context(), time.Duration(randv2.IntN(10))*time.Millisecond)
	}
	l.end()
	c.settled(all...)
	equal := c.converged(2*time.Second, all...)
	c.judge()
	if l.acked.Load() == 0 {
		t.Error("INVALID: nothing was written")
	}
	t.Logf("%+v, equal after %v", c.Ledger.Tally(), equal)
}

// S-PG-4 and S-CL-2: one node loses PostgreSQL, not its devices: it says so in
// /readyz, refuses writes, and recovers; the other node notices nothing.
func TestOneNodeWithoutPostgres(t *testing.T) {
	t.Parallel()
	c := newCluster(t, plan{})
	cut, well := c.client(0, c.at(c.A), func(o *Options) { o.NoRetry = true }), c.client(1, c.at(c.B))
	c.live(cut, well)
	c.put(cut, key(0), `"before"`)
	for range Runs(2, 20) {
		c.A.postgres.Refuse(true)
		c.ok(Poll(t.Context(), 3*time.Second, "A is not ready", func() bool { return !isReady(t.Context(), c.A.Addr()) }))
		p := cut.Patch(one(key(1), `"never"`), nil)
		c.answered(p)
		if p.Acked || p.Code != "unavailable" {
			t.Errorf("a write without PostgreSQL: %+v", p.Result)
		}
		c.put(well, key(2), `"meanwhile"`)
		c.A.postgres.Refuse(false)
		c.ok(Poll(t.Context(), 2*time.Second, "A is ready", func() bool { return isReady(t.Context(), c.A.Addr()) }))
		c.put(cut, key(3), `"after"`)
	}
	c.converged(2*time.Second, cut, well)
	c.judge()
}
