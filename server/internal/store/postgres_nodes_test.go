package store

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"social-server/internal/settings"
)

// [SPEC I4] Two nodes commit groups of the same users in opposite orders, as
// fast as they can: no revision is lost or doubled, and nobody waits in a circle.
func TestTwoNodesCommit(t *testing.T) {
	url := onServer.place(t)
	nodes := []*Store{onServer.openAt(t, url), onServer.openAt(t, url)}
	const users, rounds, workers = 6, 15, 2
	for i := range users {
		populateAs(t, nodes[0], fmt.Sprint(".", i))
	}
	var all sync.WaitGroup
	var stored atomic.Int64
	for n, node := range nodes {
		for worker := range workers {
			all.Go(func() {
				for round := range rounds {
					var group []*settings.Write
					for i := range users {
						at := fmt.Sprint(".", i)
						if n == 1 {
							at = fmt.Sprint(".", users-1-i)
						}
						group = append(group, write("u_1"+at, "d_1"+at, fmt.Sprint(n, ".", worker, ".", round), `{"billing":{"salary":1}}`))
					}
					outcomes, err := node.Commit(t.Context(), group, settings.DefaultLimits)
					if err != nil {
						t.Error(err)
						return
					}
					for _, o := range outcomes {
						if o.Err != nil {
							t.Error(o.Err)
						}
						stored.Add(1)
					}
				}
			})
		}
	}
	seen := make(map[string]time.Time)
	for i := range users {
		seen[fmt.Sprint("d_1.", i)] = noon.Add(time.Hour)
	}
	all.Go(func() { // locks the same devices
		for range rounds {
			if err := nodes[0].TouchDevices(t.Context(), seen); err != nil {
				t.Error(err)
			}
		}
	})
	all.Wait()
	for i := range users {
		user := fmt.Sprint("u_1.", i)
		if head, _, err := nodes[1].Changed(t.Context(), user, 0); err != nil || head.Revision != rounds*workers*2 {
			t.Errorf("%s is at %d, %v", user, head.Revision, err)
		}
		checkDense(t, nodes[1], user)
	}
	if n := ask(t, url, "SELECT deadlocks::text FROM pg_stat_database WHERE datname = current_database()"); n != "0" {
		t.Errorf("%s deadlocks", n)
	}
}

// [S-PG-6] While a transaction that took a revision is held open, a commit of
// the same user waits and gets the next one; other users do not wait; and no
// reader sees a revision before those below it.
func TestRevisionOrderIsCommitOrder(t *testing.T) {
	url := onServer.place(t)
	s := onServer.openAt(t, url)
	populate(t, s)
	held, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Close(context.WithoutCancel(t.Context())) }()
	open := postgresGroup{t.Context(), held}
	first := write("u_1", "d_1", "first", `{"billing":{"salary":1}}`)
	g := newGroup(&open, settings.DefaultLimits)
	must(t, open.load(g, []*settings.Write{first}))
	if out, err := g.write(first); err != nil || out.Answer.Revision != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	must(t, open.store(g, false)) // all but the COMMIT

	second := make(chan uint64, 1)
	go func() {
		outcomes, err := s.Commit(t.Context(), []*settings.Write{write("u_1", "d_2", "second", `{"billing":{"salary":2}}`)}, settings.DefaultLimits)
		if err != nil {
			t.Error(err)
			second <- 0
			return
		}
		second <- outcomes[0].Answer.Revision
	}()
	until := time.After(500 * time.Millisecond)
	for waiting := true; waiting; {
		select {
		case r := <-second:
			t.Fatalf("revision %d was committed before 1", r)
		case <-until:
			waiting = false
		default:
			if head, entries, err := s.Changed(t.Context(), "u_1", 0); err != nil || head.Revision != 0 || len(entries) != 0 {
				t.Fatalf("seen before it was committed: %+v %v %v", head, entries, err)
			}
		}
	}
	if o := commit(t, s, write("u_2", "d_2", "other", `{"billing":{"salary":1}}`))[0]; o.Err != nil {
		t.Error(o.Err)
	}
	must(t, open.store(g, true))
	if r := <-second; r != 2 {
		t.Errorf("the second got revision %d", r)
	}
	checkDense(t, s, "u_1")
}

// [SPEC I6] A device that is revoked while it commits, on another node: either
// its patch was first, or it is refused. Nothing of it is stored after the
// revocation was answered.
func TestRevokeAgainstCommit(t *testing.T) {
	url := onServer.place(t)
	node, other := onServer.openAt(t, url), onServer.openAt(t, url)
	var stored, refused atomic.Int64
	for i := range 25 {
		suffix := fmt.Sprint(".", i)
		populateAs(t, node, suffix)
		var revoked atomic.Bool
		var all sync.WaitGroup
		all.Go(func() {
			for n := range 100 {
				late := revoked.Load()
				w := write("u_1"+suffix, "d_2"+suffix, fmt.Sprint(n), `{"billing":{"salary":1}}`)
				outcomes, err := node.Commit(t.Context(), []*settings.Write{w}, settings.DefaultLimits)
				switch {
				case err != nil:
					t.Error(err)
				case outcomes[0].Err == nil && late:
					t.Error("a patch was stored after its device was revoked")
				case outcomes[0].Err == nil:
					stored.Add(1)
					continue
				default:
					refused.Add(1)
				}
				return
			}
		})
		all.Go(func() {
			if _, err := other.RevokeDevice(t.Context(), "a_1"+suffix, "d_2"+suffix, noon); err != nil {
				t.Error(err)
			}
			revoked.Store(true)
		})
		all.Wait()
	}
	if refused.Load() != 25 {
		t.Errorf("%d stored, %d refused", stored.Load(), refused.Load())
	}
}
