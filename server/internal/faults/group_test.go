package faults

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// group is one user in a test: the devices that use it, and what judges in the
// end all that they did and saw.
type group struct {
	*testing.T
	Devices []Device
	Ledger  *Ledger

	user   string
	addr   func() string                            // where clients go that are not told otherwise
	stored func(context.Context) (*UserRows, error) // read past the product

	mu      sync.Mutex // guards the following
	clients []*Client
}

// newGroup starts the books on a user. Its clients are gone when the test ends,
// before anything that was to be cleaned up earlier.
func newGroup(t *testing.T, user string, devices []Device, addr func() string) *group {
	t.Helper()
	ledger, err := NewLedger(filepath.Join(t.TempDir(), "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	g := &group{T: t, Devices: devices, Ledger: ledger, user: user, addr: addr}
	t.Cleanup(func() {
		g.close()
		if err := ledger.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

func (g *group) close() {
	for _, c := range g.all() {
		c.Close()
	}
}

func (g *group) all() []*Client {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]*Client(nil), g.clients...)
}

func (g *group) ok(err error) {
	g.Helper()
	if err != nil {
		g.Fatal(err)
	}
}

// none fails the test if an oracle found something.
func (g *group) none(oracle string, wrong []string) {
	g.Helper()
	for i, text := range wrong {
		if i == 10 {
			g.Errorf("%s: and %d more", oracle, len(wrong)-10)
			return
		}
		g.Errorf("%s: %s", oracle, text)
	}
}

// client connects the device of that number.
func (g *group) client(n int, change ...func(*Options)) *Client {
	return g.connect(g.Devices[n%len(g.Devices)], change...)
}

func (g *group) connect(d Device, change ...func(*Options)) *Client {
	o := Options{User: g.user, Target: g.addr, Ledger: g.Ledger}
	for _, f := range change {
		f(&o)
	}
	c := NewClient(context.Background(), d, o)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.clients = append(g.clients, c)
	return c
}

// through is an option: the client connects through a proxy.
func (g *group) through(p *Proxy) func(*Options) { return func(o *Options) { o.Target = p.Addr } }

// live waits until every client is connected and ready.
func (g *group) live(clients ...*Client) {
	g.Helper()
	for _, c := range clients {
		g.ok(c.Await(g.Context(), 15*time.Second, func(*Replica) bool { return true }))
	}
}

// put stores one value and fails the test if it is not stored.
func (g *group) put(c *Client, key, text string) *Patch {
	g.Helper()
	return g.acked(c.Patch(one(key, text), nil))
}

func (g *group) acked(p *Patch) *Patch {
	g.Helper()
	g.answered(p)
	if !p.Acked {
		g.Fatalf("patch %s was refused: %s", p.ID, p.Code)
	}
	return p
}

// patient is how long an answer may take on a machine that does other things too.
const patient = 20 * time.Second

func (g *group) answered(p *Patch) {
	g.Helper()
	timeout := time.NewTimer(patient)
	defer timeout.Stop()
	select {
	case <-p.Done:
	case <-timeout.C:
		g.Fatalf("no answer to patch %s in %v", p.ID, patient)
	}
}

// settled waits until no patch is without its answer: what was unknown is known now.
func (g *group) settled(clients ...*Client) {
	g.Helper()
	for _, c := range clients {
		for _, p := range c.waiting() {
			g.answered(p)
		}
	}
}

// rows reads what the database holds of the user.
func (g *group) rows() *UserRows {
	g.Helper()
	rows, err := g.stored(context.Background())
	g.ok(err)
	return rows
}

// converged waits until every client has the database's digest (O2), and
// returns how long that took.
func (g *group) converged(within time.Duration, clients ...*Client) time.Duration {
	g.Helper()
	want := g.rows()
	begin := time.Now()
	for _, c := range clients {
		err := c.Await(g.Context(), within-time.Since(begin), func(s *Replica) bool {
			return s.Epoch == want.Epoch && s.Revision >= want.Revision
		})
		if err != nil {
			g.Errorf("not converged within %v: %v; the database is at %d", within, err, want.Revision)
			continue
		}
		state := c.State()
		if state.Revision == want.Revision && state.Digest() != want.Digest() {
			g.Errorf("%s ended with digest %s, the database with %s\n%s\n%s", c.Name, state.Digest(), want.Digest(),
				show(state.Values), show(want.Settings))
		}
	}
	return time.Since(begin)
}

// judge closes the clients and holds everything that happened against the database.
func (g *group) judge() *UserRows {
	g.Helper()
	rows, wrong := g.findings()
	g.none("judge", wrong)
	return rows
}

// findings closes the clients and returns what the oracles find.
func (g *group) findings() (rows *UserRows, wrong []string) {
	g.Helper()
	g.close()
	rows = g.rows()
	note := func(oracle string, list []string) {
		for _, text := range list {
			wrong = append(wrong, oracle+": "+text)
		}
	}
	note("ledger (O1)", g.Ledger.Check(rows))
	note("history (I1, I3, I4)", CheckHistory(rows, false))
	note("order (I2)", CheckOrder(g.Ledger.Patches()))
	for _, c := range g.all() {
		note(c.Name+" stream (O3)", c.Seen().Faults)
		note("replay (I7, I8)", CheckStream(c.Name, c.Seen().Frames, rows))
		if state := c.Seen(); state.Epoch == rows.Epoch && state.Revision == rows.Revision && state.Digest() != rows.Digest() {
			note("digest (O2)", []string{c.Name + " has " + show(state.Values) + ", the database " + show(rows.Settings)})
		}
	}
	return rows, wrong
}
