package faults

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// C-7 across nodes: the same patch reaches both nodes at once, and is stored once.
func TestDuplicatesAcrossNodes(t *testing.T) {
	t.Parallel()
	c := newCluster(t, plan{})
	a, b, watcher := c.client(0, c.at(c.A)), c.client(0, c.at(c.B)), c.client(1, c.at(c.B))
	c.live(a, b, watcher)
	patches := Runs(100, 5000)
	for i := range patches {
		p := &Patch{ID: rand.Text(), Set: one(key(i%10), fmt.Sprint(i))}
		again := &Patch{ID: p.ID, Set: p.Set}
		a.Submit(p)
		b.Unrecorded(again)
		c.acked(p)
		c.acked(again)
		if p.Revision != again.Revision || p.Duplicate == again.Duplicate {
			t.Errorf("patch %d: revision %d (duplicate %v) on A, %d (duplicate %v) on B",
				i, p.Revision, p.Duplicate, again.Revision, again.Duplicate)
		}
	}
	c.converged(2*time.Second, a, b, watcher)
	if rows := c.judge(); rows.Revision != uint64(patches) {
		t.Errorf("%d revisions of %d patches", rows.Revision, patches)
	}
}

// C-16 across nodes: a device is revoked on A while it is connected to B. It is
// closed there soon, its token is dead at once on both, and it is shown nothing
// that was committed after the revoking was answered.
func TestRevokedOnTheOtherNode(t *testing.T) {
	t.Parallel()
	c := newCluster(t, plan{env: []string{"MAX_DEVICES_PER_ACCOUNT=1000"}})
	writer := c.client(0, c.at(c.A))
	c.live(writer)
	var slowest, slowestWithout time.Duration
	for run := range Runs(5, 100) {
		slowest = max(slowest, c.revokeOnce(writer, fmt.Sprintf("Revoked.%d", run), 2*time.Second))
	}
	c.ok(c.Redis.Kill())
	for run := range Runs(2, 20) {
		slowestWithout = max(slowestWithout, c.revokeOnce(writer, fmt.Sprintf("Unheard.%d", run), 10*time.Second))
	}
	c.judge()
	t.Logf("closed within %v, without Redis within %v", slowest, slowestWithout)
}

// revokeOnce connects a new device to B, revokes it on A, and returns how long
// its socket lived on.
func (c *cluster) revokeOnce(writer *Client, name string, within time.Duration) time.Duration {
	c.Helper()
	d, err := newcomer(c.Context(), c.A.Addr(), name, users[:1], false)
	c.ok(err)
	victim := c.connect(d, c.at(c.B), func(o *Options) { o.Back = time.Second })
	c.live(victim)
	c.put(writer, key(0), `"before"`)
	c.ok(want(c.Context(), c.A.Addr(), http.StatusNoContent, c.revoke(d), nil))
	begin := time.Now()
	for _, s := range c.both() {
		status, _, err := Do(c.Context(), s.Addr(), Request{Method: "GET", Path: "/users", Token: d.Token})
		if err != nil || status != http.StatusUnauthorized {
			c.Errorf("the first request after the revoking: %d %v", status, err)
		}
	}
	after := c.put(writer, key(0), `"after"`)
	err = Poll(c.Context(), within, name+" is closed", func() bool {
		_, closes, _, _ := victim.Counts()
		return slices.Contains(closes, 4503)
	})
	took := time.Since(begin)
	if err != nil {
		c.Error(err)
	}
	victim.Close()
	for _, f := range victim.Seen().Frames {
		if f.Revision >= after.Revision {
			c.Errorf("%s was shown revision %d, and %d was committed after it had been revoked", name, f.Revision, after.Revision)
		}
	}
	return took
}

// revoke is the request of device 0 that revokes another.
func (g *group) revoke(d Device) Request {
	return Request{Method: "DELETE", Path: "/devices/" + d.ID, Token: g.Devices[0].Token, Body: fmt.Sprintf(`{"password":%q}`, Password)}
}

// glance is what a device is shown besides settings.
type glance struct {
	Type    string
	Device  json.RawMessage
	Set     map[string]map[string]json.RawMessage
	Devices []struct {
		ID     string
		Online bool
		Focus  string
	}
}

// sees reads frames until one satisfies cond, and answers pings meanwhile.
func (g *group) sees(ws *websocket.Conn, what string, within time.Duration, cond func(glance) bool) time.Duration {
	g.Helper()
	begin := time.Now()
	g.ok(ws.SetReadDeadline(begin.Add(within)))
	for {
		_, text, err := ws.ReadMessage()
		if err != nil {
			g.Fatalf("not within %v: %s (%v)", within, what, err)
		}
		var m glance
		g.ok(json.Unmarshal(text, &m))
		if cond(m) {
			return time.Since(begin)
		}
		if m.Type == "ping" {
			g.ok(ws.WriteMessage(websocket.TextMessage, []byte(`{"type":"pong","seen":0}`)))
		}
	}
}

// shows is a condition of sees: presence of one device.
func shows(d Device, online bool, focus string) func(glance) bool {
	return func(m glance) bool {
		for _, seen := range m.Devices {
			if seen.ID == d.ID && seen.Online == online && seen.Focus == focus {
				return true
			}
		}
		return false
	}
}

// Presence is of all nodes: a device on A, its focus and its previews are seen on
// B; and when A is killed its devices go offline by themselves.
func TestPresenceAcrossNodes(t *testing.T) {
	t.Parallel()
	c := newCluster(t, plan{})
	ws, _, err := c.openAt(t.Context(), c.B.Addr(), 1, "")
	c.ok(err)
	there := c.client(0, c.at(c.A))
	c.live(there)
	c.sees(ws, "the device on A is online", 5*time.Second, shows(there.Device, true, ""))
	there.Send(`{"type":"focus","field":"set.k003"}`)
	focus := c.sees(ws, "its focus", 5*time.Second, shows(there.Device, true, "set.k003"))
	there.Send(`{"type":"preview","set":{"set":{"k003":42}}}`)
	preview := c.sees(ws, "its preview", 5*time.Second, func(m glance) bool {
		return m.Type == "preview" && string(m.Set["set"]["k003"]) == "42"
	})
	c.ok(c.A.Kill())
	gone := c.sees(ws, "the device is offline after its node was killed", 60*time.Second, shows(there.Device, false, ""))
	c.ok(c.A.Start(t.Context()))
	c.live(there)
	c.sees(ws, "it is back", 5*time.Second, shows(there.Device, true, ""))
	t.Logf("focus after %v, preview after %v, offline %v after the kill", focus, preview, gone)
}

// S-TERM-1 on a cluster: one node is told to stop under load. Its sockets are
// told and closed, spread over the drain window; the other node notices nothing.
func TestTerminateOneNode(t *testing.T) {
	t.Parallel()
	const window = 2 * time.Second
	c := newCluster(t, plan{env: []string{fmt.Sprintf("DRAIN_WINDOW=%v", window)}})
	var here, there []*Client
	for n := range Runs(60, 500) {
		here = append(here, c.client(n, c.at(c.A), func(o *Options) { o.Back = time.Second }))
	}
	for n := range 4 {
		there = append(there, c.client(n, c.at(c.B)))
	}
	c.live(append(there, here...)...)
	l := write(append(here[:4:4], there...))
	c.ok(Poll(t.Context(), patient, "50 writes", func() bool { return l.acked.Load() >= 50 }))
	begin := time.Now()
	c.ok(c.A.Stop(t.Context()))
	took := time.Since(begin)
	told, late := 0, 0
	for _, one := range here {
		_, closes, byes, after := one.Counts()
		late += after
		if len(closes) > 0 && closes[0] == 4000 && byes > 0 {
			told++
		}
	}
	if told != len(here) || late > 0 || took > 30*time.Second {
		t.Errorf("%d of %d sockets had bye and 4000, %d answers came after bye, exit after %v", told, len(here), late, took)
	}
	l.end()
	c.ok(c.A.Start(t.Context()))
	c.settled(c.all()...)
	c.converged(4*time.Second, c.all()...)
	for _, one := range there {
		if opened, _, _, _ := one.Counts(); opened != 1 {
			t.Errorf("a device of the other node had %d connections", opened)
		}
	}
	c.judge()
	t.Logf("%d sockets closed in %v, %+v", told, took, c.Ledger.Tally())
}

// S-TERM-4 on a cluster: a second SIGTERM ends the node at once, however long
// the drain window is.
func TestTerminateOneNodeTwice(t *testing.T) {
	t.Parallel()
	c := newCluster(t, plan{env: []string{"DRAIN_WINDOW=10s"}})
	all := c.spread(6)
	l := write(all)
	c.ok(Poll(t.Context(), patient, "50 writes", func() bool { return l.acked.Load() >= 50 }))
	c.ok(c.A.Signal(syscall.SIGTERM))
	c.ok(Poll(t.Context(), patient, "A is not ready", func() bool { return !isReady(t.Context(), c.A.Addr()) || c.A.Ended() }))
	begin := time.Now()
	c.ok(c.A.Signal(syscall.SIGTERM))
	code, err := c.A.Wait(t.Context(), 5*time.Second)
	c.ok(err)
	if took := time.Since(begin); took > time.Second || code == 0 {
		t.Errorf("exit code %d after %v", code, took)
	}
	l.end()
	c.ok(c.A.Start(t.Context()))
	c.settled(all...)
	c.converged(2*time.Second, all...)
	c.judge()
}

// A rolling restart under load: both nodes in turn drain, end and start again,
// and devices come back when they were told to. Nothing is lost, and the other
// node is not run over.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	window := time.Duration(Runs(3, 10)) * time.Second
	c := newCluster(t, plan{env: []string{fmt.Sprintf("DRAIN_WINDOW=%v", window)}})
	arrivals := &arrivals{}
	var all []*Client
	for n := range Runs(80, 300) { // of one user: each of them is told of every other that comes
		all = append(all, c.client(n, c.roaming(n), arrivals.note, func(o *Options) { o.Polite = true }))
	}
	c.live(all...)
	l := paced(all[:6], 20*time.Millisecond)
	for _, s := range c.both() {
		arrivals.forget()
		before := l.acked.Load()
		begin := time.Now()
		c.ok(s.Stop(t.Context()))
		took := time.Since(begin)
		c.ok(s.Start(t.Context()))
		c.live(all...)
		moved := arrivals.since(begin)
		peak := busiest(moved, window/10)
		if len(moved) == 0 {
			t.Fatal("INVALID: no device had to move")
		}
		if took > 30*time.Second || peak > max(4, len(moved)*35/100) {
			t.Errorf("exit after %v; %d devices went to the other node, %d of them within %v", took, len(moved), peak, window/10)
		}
		t.Logf("exit 0 after %v; %d devices moved within %v, at most %d in %v; %d patches acked meanwhile",
			took, len(moved), moved[len(moved)-1], peak, window/10, l.acked.Load()-before)
	}
	l.end()
	c.settled(all...)
	equal := c.converged(2*time.Second, all...)
	c.judge()
	t.Logf("%+v, equal after %v", c.Ledger.Tally(), equal)
}

// arrivals notes when devices dial for the first time since they were last forgotten.
type arrivals struct {
	mu    sync.Mutex // guards the following
	round int
	at    []time.Time
}

// note is an option: what the client dials is noted.
func (a *arrivals) note(o *Options) {
	target, noted := o.Target, -1
	o.Target = func() string {
		a.mu.Lock()
		defer a.mu.Unlock()
		if noted < a.round {
			noted = a.round
			a.at = append(a.at, time.Now())
		}
		return target()
	}
}

func (a *arrivals) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.round++
	a.at = nil
}

// since returns how long after a moment the devices dialled, shortest first.
func (a *arrivals) since(begin time.Time) (all []time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, at := range a.at {
		all = append(all, at.Sub(begin))
	}
	slices.Sort(all)
	return all
}

// busiest returns how many of the sorted moments fall into the fullest span.
func busiest(moments []time.Duration, span time.Duration) (most int) {
	for from, at := range moments {
		to, _ := slices.BinarySearch(moments, at+span)
		most = max(most, to-from)
	}
	return most
}
