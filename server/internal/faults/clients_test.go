package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// C-1: clients are killed in the middle of everything; the others notice
// nothing, and those that return catch up.
func TestClientsAreKilled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var all []*Client
	for n := range 24 {
		all = append(all, r.client(n))
	}
	r.live(all...)
	l := write(all[:8])
	for range Runs(5, 20) {
		for _, n := range rand.Perm(len(all))[:12] {
			all[n].Drop()
		}
		pause(t.Context(), 100*time.Millisecond)
	}
	l.end()
	for _, c := range all {
		for _, p := range c.waiting() {
			r.answered(p)
		}
	}
	equal := r.converged(2*time.Second, all...)
	r.judge()
	r.empty() // O4: within 5 s
	t.Logf("%+v, equal after %v", r.Ledger.Tally(), equal)
}

// empty waits until the server knows of no connection (O4).
func (r *rig) empty() {
	r.Helper()
	r.ok(Poll(r.Context(), 5*time.Second, "no session is left", func() bool {
		var list struct {
			Users []struct{ Online int }
		}
		err := want(r.Context(), r.Addr(), http.StatusOK, Request{Method: "GET", Path: "/users", Token: r.Devices[0].Token}, &list)
		return err == nil && len(list.Users) == 1 && list.Users[0].Online == 0
	}))
}

// C-7: the same patch again and again, over two sockets and HTTP and across a
// restart: one revision, one answer, seen once.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first, second, watcher := r.client(0), r.client(0), r.client(1)
	r.live(first, second, watcher)
	patches := Runs(1000, 10_000)
	random := rand.New(rand.NewPCG(7, uint64(patches)))
	sends := 0
	for batch := 0; batch < patches; batch += 50 {
		var originals []*Patch
		for i := range 50 {
			originals = append(originals, first.Patch(one(key(i), fmt.Sprint(batch+i)), nil))
		}
		for _, p := range originals {
			r.acked(p)
			for range random.IntN(4) {
				sends++
				if c := [...]*Client{first, second}[random.IntN(2)]; random.IntN(10) > 0 {
					r.repeat(c, p)
				} else {
					r.repeatOverHTTP(p)
				}
			}
		}
		if batch == patches/100*50 {
			r.ok(r.Stop(t.Context()))
			r.start()
		}
	}
	r.live(first, second, watcher)
	r.converged(2*time.Second, first, second, watcher)
	rows := r.judge()
	if rows.Revision != uint64(patches) {
		t.Errorf("%d revisions of %d patches", rows.Revision, patches)
	}
	t.Logf("%d patches sent %d times: %d revisions", patches, patches+sends, rows.Revision)
}

// repeat sends a stored patch again; the ledger does not hear of it.
func (r *rig) repeat(c *Client, p *Patch) {
	r.Helper()
	again := r.acked(c.Unrecorded(&Patch{ID: p.ID, Set: p.Set}))
	if again.Revision != p.Revision || !again.Duplicate {
		r.Errorf("patch %s: first %d, again %d (duplicate %v)", p.ID, p.Revision, again.Revision, again.Duplicate)
	}
}

func (r *rig) repeatOverHTTP(p *Patch) {
	r.Helper()
	var answer struct {
		Revision  uint64
		Duplicate bool
	}
	r.ok(want(r.Context(), r.Addr(), http.StatusOK, r.rest(0, p), &answer))
	if answer.Revision != p.Revision || !answer.Duplicate {
		r.Errorf("patch %s: first %d, over HTTP %+v", p.ID, p.Revision, answer)
	}
}

// rest is a patch as an HTTP request.
func (g *group) rest(device int, p *Patch) Request {
	return Request{
		Method: "PATCH", Path: "/users/" + g.user + "/settings", Token: g.Devices[device].Token, Body: string(p.body()),
		Header: map[string]string{"Content-Type": "application/vnd.settings-sync.patch+json"},
	}
}

// C-8: the same id with another body changes nothing.
func TestReusedID(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.client(0)
	r.live(c)
	p := r.put(c, key(1), `"first"`)
	for name, other := range map[string]*Patch{
		"value": {ID: p.ID, Set: one(key(1), `"other"`)},
		"key":   {ID: p.ID, Set: one(key(2), `"first"`)},
		"space": {ID: p.ID, Set: one(key(1), `["first"]`)},
		"base":  {ID: p.ID, Set: p.Set, Base: map[string]uint64{key(1): 9}},
	} {
		r.answered(c.Unrecorded(other))
		if other.Acked || other.Code != "id-reused" {
			t.Errorf("%s: acked %v, code %q", name, other.Acked, other.Code)
		}
		status, body, err := Do(t.Context(), r.Addr(), r.rest(0, other))
		if err != nil || status != http.StatusConflict || !strings.Contains(string(body), `"id-reused"`) {
			t.Errorf("%s over HTTP: %d %s %v", name, status, body, err)
		}
	}
	if rows := r.judge(); rows.Revision != 1 {
		t.Errorf("head %d", rows.Revision)
	}
}

// C-9: a thousand patches on one key without waiting, through a proxy that
// slices them: revisions follow the order they were sent in, the last one wins.
func TestPipelineThroughASlicer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	proxy := r.proxy()
	proxy.Slice(7)
	c := r.client(0, r.through(proxy))
	r.live(c)
	var all []*Patch
	for i := range 1000 {
		all = append(all, c.Patch(one(key(3), fmt.Sprint(i)), nil))
	}
	for i, p := range all {
		if r.acked(p); p.Revision != uint64(i+1) {
			t.Fatalf("patch %d has revision %d", i, p.Revision)
		}
	}
	r.converged(2*time.Second, c)
	if v := r.judge().Settings[key(3)]; v.Text != "999" {
		t.Errorf("the last value is %s", v.Text)
	}
}

// C-12: A was away with 100 edits while B changed 50 of the same keys: A is
// told of exactly those, and overwrites none.
func TestStaleDeviceWithQueuedEdits(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, b := r.client(0), r.client(1)
	r.live(a, b)
	for n := range 100 {
		r.put(b, key(n), `"before"`)
	}
	r.converged(2*time.Second, a, b)
	a.SetOffline(true)
	known := a.State()
	var edits []*Patch
	for n := range 100 {
		edits = append(edits, a.Patch(one(key(n), `"of A"`), map[string]uint64{key(n): known.Values[key(n)].Revision}))
	}
	for n := range 50 {
		r.put(b, key(2*n), `"of B"`)
	}
	a.SetOffline(false)
	for n, p := range edits {
		r.answered(p)
		switch {
		case n%2 == 1 && !p.Acked:
			t.Errorf("edit %d was refused: %s", n, p.Code)
		case n%2 == 0 && (p.Acked || p.Code != "conflict" || p.Current[key(n)].Text != `"of B"`):
			t.Errorf("edit %d: %+v", n, p.Result)
		}
	}
	r.converged(2*time.Second, a, b)
	rows := r.judge()
	of := map[string]int{}
	for _, v := range rows.Settings {
		of[v.Text]++
	}
	if of[`"of A"`] != 50 || of[`"of B"`] != 50 {
		t.Errorf("values %v", of)
	}
}

// C-13: what a device believes the time to be decides nothing: times in values
// are values, and order is arrival.
func TestClocksDecideNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, b := r.client(0), r.client(1)
	r.live(a, b)
	for i, text := range []string{`"2036-01-01T00:00:00Z"`, `"1970-01-01T00:00:00Z"`, `-1`, `"NaN"`, `9007199254740993`, `1e308`} {
		c := [...]*Client{a, b}[i%2]
		if p := r.put(c, key(5), text); p.Revision != uint64(i+1) {
			t.Errorf("%s has revision %d", text, p.Revision)
		}
	}
	r.converged(2*time.Second, a, b)
	if v := r.judge().Settings[key(5)]; v.Text != `1e308` {
		t.Errorf("the last value is %s", v.Text)
	}
	status, body, err := Do(t.Context(), r.Addr(), Request{
		Method: "PATCH", Path: "/users/" + user + "/settings", Token: r.Devices[0].Token, Body: `{"set":{"k005":"late"}}`,
		Header: map[string]string{"Date": "Thu, 01 Jan 1970 00:00:00 GMT", "If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
	})
	if err != nil || status != http.StatusOK {
		t.Errorf("with a Date of 1970: %d %s %v", status, body, err)
	}
}

// C-14: two tabs of one device: neither misses the other's edits.
func TestTwoTabsOfOneDevice(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, b := r.client(0), r.client(0)
	r.live(a, b)
	edits := 500
	var both sync.WaitGroup
	for n, c := range []*Client{a, b} {
		both.Go(func() {
			for i := range edits {
				c.Patch(one(key(10*n+i%10), fmt.Sprintf(`"tab %d, %d"`, n, i)), nil)
			}
		})
	}
	both.Wait()
	for _, c := range []*Client{a, b} {
		for _, p := range c.waiting() {
			r.acked(p)
		}
	}
	if took := r.converged(time.Second, a, b); took > time.Second {
		t.Errorf("equal after %v", took)
	}
	if head := r.judge().Revision; head != uint64(2*edits) {
		t.Errorf("head %d", head)
	}
}

// GET settings tells the same as the stream, byte for byte (O2).
func TestReadOverHTTPEqualsTheStream(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.client(0)
	r.live(c)
	for i, text := range []string{`1.0`, `"Zo\u00eb"`, `[1, 2]`, `null`, `{"b":1,"a":2}`} {
		r.put(c, key(i), text)
	}
	var answer struct {
		Epoch    string
		Revision uint64
		Settings map[string]map[string]json.RawMessage
		Keys     values
	}
	r.ok(want(t.Context(), r.Addr(), http.StatusOK,
		Request{Method: "GET", Path: "/users/" + user + "/settings", Token: r.Devices[0].Token}, &answer))
	texts := flatten(answer.Settings, func(v json.RawMessage) string { return string(bytes.TrimSpace(v)) })
	got := make(map[string]Value)
	for name, v := range answer.Keys.flat() {
		v.Text = texts[name]
		if state := c.State(); state.Values[name].Text == "null" && v.Text == "0" {
			v.Text = "null" // a reset key is shown with its default
		}
		got[name] = v
	}
	if d := Digest(answer.Epoch, answer.Revision, got); d != r.rows().Digest() {
		t.Errorf("over HTTP %s, stored %s", show(got), show(r.rows().Settings))
	}
	r.converged(time.Second, c)
	r.judge()
}
