package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"social-server/internal/account"
	"social-server/internal/backing"
	"social-server/internal/errs"
	"social-server/internal/hub"
	"social-server/internal/settings"
)

// ownServer returns a server that a test may do harm to, and a populated store on it.
func ownServer(t *testing.T) (*backing.Postgres, *Store) {
	t.Helper()
	p, err := backing.StartPostgres(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	s := onServer.openAt(t, p.URL("postgres"))
	populate(t, s)
	return p, s
}

// operations are one of each kind: a group, reads and writes in transactions,
// and what takes a single statement.
func operations(s *Store) map[string]func(ctx context.Context, id string) error {
	return map[string]func(ctx context.Context, id string) error{
		"commit": func(ctx context.Context, id string) error {
			_, err := s.Commit(ctx, []*settings.Write{write("u_1", "d_1", id, `{"billing":{"salary":1}}`)}, settings.DefaultLimits)
			return err
		},
		"changed": func(ctx context.Context, _ string) error { _, _, err := s.Changed(ctx, "u_1", 0); return err },
		"history": func(ctx context.Context, _ string) error {
			_, err := s.History(ctx, "u_1", settings.HistoryQuery{Limit: 9})
			return err
		},
		"device": func(ctx context.Context, id string) error {
			return s.CreateDevice(ctx, account.Device{ID: "d_" + id, AccountID: "a_1", Name: id, CreatedAt: noon, LastSeen: noon}, 1000)
		},
		"atomically": func(ctx context.Context, id string) error {
			return s.Atomically(ctx, func(ctx context.Context) error {
				return s.Record(ctx, account.Event{AccountID: "a_1", Event: id, At: noon}, time.Time{}, 9)
			})
		},
		"ping":  func(ctx context.Context, _ string) error { return s.Ping(ctx) },
		"heads": func(ctx context.Context, _ string) error { _, _, err := s.Heads(ctx, []string{"u_1"}); return err },
		"touch": func(ctx context.Context, _ string) error {
			return s.TouchDevices(ctx, map[string]time.Time{"d_1": noon.Add(time.Hour)})
		},
		"standings": func(ctx context.Context, _ string) error {
			_, err := s.Standings(ctx, []hub.Seat{{User: "u_1", Device: "d_1"}})
			return err
		},
	}
}

// all runs every operation several times at once and returns how each ended,
// and the longest any of them took.
func all(t *testing.T, s *Store, id string) (ends map[string]error, longest time.Duration) {
	t.Helper()
	var mu sync.Mutex
	var running sync.WaitGroup
	ends = map[string]error{}
	for name, do := range operations(s) {
		for i := range 3 { // more than there are connections
			running.Go(func() {
				start := time.Now()
				err := do(t.Context(), fmt.Sprint(id, i))
				mu.Lock()
				defer mu.Unlock()
				ends[fmt.Sprint(name, i)] = err
				longest = max(longest, time.Since(start))
			})
		}
	}
	running.Wait()
	return ends, longest
}

// wantBack fails unless every operation goes well again within two seconds, or,
// where a busy machine makes them long, at the sixth time.
func wantBack(t *testing.T, s *Store, id string) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Second)
	for round := 0; ; round++ {
		ends, _ := all(t, s, fmt.Sprint(id, ".", round, "."))
		var err error
		for name, end := range ends {
			if end != nil {
				err = errors.Join(err, fmt.Errorf("%s: %w", name, end))
			}
		}
		if err == nil {
			return
		}
		if time.Now().After(deadline) && round >= 5 {
			t.Fatalf("after two seconds and %d rounds: %v", round, err)
		}
	}
}

// [S-PG-3] A server that stands still: every operation fails within five
// seconds, and goes well within two when the server goes on.
func TestServerStandsStill(t *testing.T) {
	t.Parallel() // it mostly waits
	p, s := ownServer(t)
	wantBack(t, s, "before")
	must(t, p.Freeze())
	thawed := false
	defer func() {
		if !thawed {
			must(t, p.Thaw())
		}
	}()
	quickest := time.Hour
	for round := range 2 { // the second finds no connection that was there before
		ends, longest := all(t, s, fmt.Sprint("frozen", round, "."))
		for name, err := range ends {
			wantCode(t, name, err, errs.Unavailable)
		}
		quickest = min(quickest, longest) // a busy machine may tip one of them
	}
	if quickest > 5*time.Second {
		t.Errorf("an operation took %v", quickest)
	}
	if _, err := OpenPostgres(t.Context(), p.URL("postgres"), MinConnections); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("opened: %v", err)
	}
	thawed = true
	must(t, p.Thaw())
	wantBack(t, s, "after")
	checkDense(t, s, "u_1")
}

// [S-PG-1] A server that ends at once, as in a crash: what was acknowledged is
// there when it is back, and nothing has to be started again.
func TestServerCrashes(t *testing.T) {
	t.Parallel()
	p, s := ownServer(t)
	wantBack(t, s, "before")
	for round := range 3 {
		acked := commit(t, s, write("u_1", "d_1", fmt.Sprint("acked", round), `{"billing":{"salary":1}}`))[0]
		must(t, p.StopNow())
		ends, longest := all(t, s, fmt.Sprint("down", round, "."))
		for name, err := range ends {
			wantCode(t, name, err, errs.Unavailable)
		}
		if longest > 5*time.Second {
			t.Errorf("an operation took %v", longest)
		}
		must(t, p.Start(t.Context()))
		wantBack(t, s, fmt.Sprint("after", round))
		again := commit(t, s, write("u_1", "d_1", fmt.Sprint("acked", round), `{"billing":{"salary":1}}`))[0]
		if !again.Duplicate || again.Answer.Revision != acked.Answer.Revision {
			t.Errorf("acknowledged as %d, then %+v", acked.Answer.Revision, again)
		}
	}
	checkDense(t, s, "u_1")
}

// [S-PG-1] Connections that the server has ended are replaced, and nobody sees it.
func TestKilledBackends(t *testing.T) {
	url := onServer.place(t)
	s := onServer.openAt(t, url)
	populate(t, s)
	for round := range 5 {
		wantBack(t, s, fmt.Sprint("before", round))
		execute(t, url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"+
			" WHERE datname = current_database() AND application_name = 'social-server'")
		wantBack(t, s, fmt.Sprint("after", round))
	}
	checkDense(t, s, "u_1")
}

// A group is two round trips, however many writes it has.
func TestGroupTakesTwoRoundTrips(t *testing.T) {
	wire := newTap(t)
	s := wire.store(t)
	populate(t, s)
	for round, size := range []int{1, 1, 2, 100, 256} {
		var group []*settings.Write
		for i := range size {
			user := []string{"u_1", "u_2"}[i%2]
			group = append(group, write(user, "d_2", fmt.Sprint(round, ".", i), fmt.Sprintf(`{"billing":{"salary":%d}}`, i)))
		}
		before := wire.turns.Load()
		commit(t, s, group...)
		if turns := wire.turns.Load() - before; round > 0 && turns != 2 { // the first one prepares the statements
			t.Errorf("%d writes took %d round trips", size, turns)
		}
	}
}

// [S-PG-2] A connection that is lost during COMMIT: nobody knows how it ended,
// so nothing is tried again here. Who asks again under the same id gets the
// truth, and nothing is done twice.
func TestConnectionLostDuringCommit(t *testing.T) {
	wire := newTap(t)
	s := wire.store(t)
	populate(t, s)
	commit(t, s, write("u_1", "d_1", "warm", `{"billing":{"salary":0}}`))
	done, missed := 0, 0
	for i := range 40 {
		arrives := i%2 == 0 // the COMMIT, at the server, perhaps with a wish to cancel it behind it
		revision := uint64(2 + i)
		w := write("u_1", "d_1", fmt.Sprint("p", i), fmt.Sprintf(`{"billing":{"salary":%d}}`, i))
		insist(t, s, write("u_2", "d_2", fmt.Sprint("warm", i), `{"billing":{"salary":0}}`)) // prepares on a new connection
		wire.cutAt(wire.turns.Load()+2, arrives)
		switch _, err := s.Commit(t.Context(), []*settings.Write{w}, settings.DefaultLimits); {
		case err == nil: // another connection of the pools, which ends, had a turn: it was not the COMMIT that was cut
			missed++
			wire.cutAt(0, false)
			continue
		case !errs.Is(err, errs.Unavailable):
			t.Fatalf("cut: %v", err)
		}
		again := insist(t, s, w)
		if again.Answer.Revision != revision || again.Duplicate && !arrives {
			t.Fatalf("the COMMIT arrived: %v; asked again: %+v, want revision %d", arrives, again, revision)
		}
		if again.Duplicate {
			done++
		}
	}
	if done == 0 || missed > 10 {
		t.Errorf("%d COMMITs were done whose answer was lost, %d were not cut", done, missed)
	}
	checkDense(t, s, "u_1")
}

// insist asks until there is an answer, as a device does.
func insist(t *testing.T, s *Store, w *settings.Write) settings.Outcome {
	t.Helper()
	for range 20 {
		outcomes, err := s.Commit(t.Context(), []*settings.Write{w}, settings.DefaultLimits)
		if err == nil {
			return outcomes[0]
		}
		wantCode(t, "Commit", err, errs.Unavailable)
	}
	t.Fatal("twenty times there was no answer")
	return settings.Outcome{}
}

// tap is a wire to the server that counts, and can be cut.
type tap struct {
	url    string
	server string
	turns  atomic.Int64 // times that a client spoke after the server had

	cut     atomic.Int64 // at which turn; 0: never
	arrives atomic.Bool  // whether that turn's words arrive
}

func newTap(t *testing.T) *tap {
	t.Helper()
	url := onServer.place(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &tap{server: postgres(t).Addr()}
	w.url = strings.Replace(url, w.server, listener.Addr().String(), 1)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { w.relay(client) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		running.Wait()
	})
	return w
}

// store opens a store at the other end. Its groups use one connection at a time.
func (w *tap) store(t *testing.T) *Store {
	t.Helper()
	return onServer.openAt(t, w.url)
}

// cutAt cuts the wire at a turn, before or after its words got through.
func (w *tap) cutAt(turn int64, arrives bool) {
	w.arrives.Store(arrives)
	w.cut.Store(turn)
}

// relay carries words both ways until one end is closed, or the wire is cut.
func (w *tap) relay(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", w.server)
	if err != nil {
		return
	}
	defer server.Close()
	var spoke atomic.Bool // the server
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 1<<16)
		for {
			n, err := server.Read(buffer)
			spoke.Store(true)
			if _, e := client.Write(buffer[:n]); err != nil || e != nil {
				_ = client.Close()
				_, _ = io.Copy(io.Discard, server) // until it has ended
				return
			}
		}
	}()
	defer func() { <-done }()
	buffer := make([]byte, 1<<16)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			_ = server.(*net.TCPConn).CloseWrite()
			return
		}
		turn := w.turns.Load()
		if spoke.Swap(false) {
			turn = w.turns.Add(1)
		}
		cut := turn > 0 && w.cut.CompareAndSwap(turn, 0)
		if !cut || w.arrives.Load() {
			_, err = server.Write(buffer[:n])
		}
		if cut || err != nil {
			_ = client.Close()
			_ = server.(*net.TCPConn).CloseWrite()
			return
		}
	}
}
