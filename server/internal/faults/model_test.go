package faults

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"
)

// modelRuns sets how much rapid does, unless the command line says it.
func modelRuns(t *testing.T) {
	t.Helper()
	if strings.Contains(strings.Join(os.Args, " "), "rapid.checks") {
		return
	}
	checks := Runs(300, 20_000)
	if raceEnabled {
		checks /= 10 // SQLite is ten times slower under the race detector
	}
	for name, value := range map[string]int{"rapid.checks": checks, "rapid.steps": Runs(60, 100)} {
		if err := flag.Set(name, fmt.Sprint(value)); err != nil {
			t.Fatal(err)
		}
	}
}

// The hub, the store and the frames against the model of one user, step by
// step: whatever happens, answers, streams and resumes are the model's.
func TestModel(t *testing.T) {
	modelRuns(t)
	n, err := newNode(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.close(); err != nil {
			t.Error(err)
		}
	}()
	var checks atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		w := newMachine(t, n, fmt.Sprint("u", checks.Add(1)))
		defer w.end()
		t.Repeat(map[string]func(*rapid.T){
			"put": w.put, "put again": w.put, "put more": w.put, "hot key": w.putHot, "delete": w.remove, "batch": w.batch,
			"base right": w.baseRight, "base wrong": w.baseWrong,
			"retry last": w.retryLast, "retry old": w.retryOld, "reuse id": w.reuseID,
			"disconnect": w.disconnect, "reconnect": w.reconnect, "reconnect soon": w.reconnect, "resume anywhere": w.resumeAnywhere,
			"restart": w.restart, "lose publish": w.losePublish, "commit fails": w.commitFails, "sync": w.sync,
			"": w.check,
		})
	})
}

// machine is one run: two users, one of whom only watches that nothing leaks.
type machine struct {
	*node
	user, other string
	model       Model
	states      []Model // by revision: what it was
	epoch       string
	devices     []string
	replicas    map[string]*Replica
	live        map[string]*endpoint
	stranger    *endpoint
	patches     []*Patch
	made        int
}

func newMachine(t *rapid.T, n *node, user string) *machine {
	w := &machine{
		node: n, user: user, other: user + "x", states: []Model{{}},
		replicas: make(map[string]*Replica), live: make(map[string]*endpoint),
	}
	for i := range 4 {
		w.devices = append(w.devices, fmt.Sprint(user, "d", i))
		w.replicas[w.devices[i]] = &Replica{}
	}
	w.must(t, n.populate(w.user, w.devices...))
	w.must(t, n.populate(w.other, w.other+"d"))
	var err error
	w.epoch, err = n.store.Epoch(context.Background())
	w.must(t, err)
	w.connectStranger(t)
	return w
}

func (w *machine) must(t *rapid.T, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

func (w *machine) connectStranger(t *rapid.T) {
	var err error
	w.stranger, err = w.connect(w.other, w.other+"d", &Replica{})
	w.must(t, err)
}

func (w *machine) end() {
	for _, e := range w.live {
		e.disconnect()
	}
	w.stranger.disconnect()
	w.mu.Lock()
	w.lose, w.fail = false, ""
	w.mu.Unlock()
}

// sender is a connected device; if there is none, one connects.
func (w *machine) sender(t *rapid.T) *endpoint {
	for _, d := range w.devices {
		if e := w.live[d]; e != nil && rapid.IntRange(0, 2).Draw(t, "skip") > 0 {
			return e
		}
	}
	d := rapid.SampledFrom(w.devices).Draw(t, "device")
	if w.live[d] == nil {
		w.attach(t, d)
	}
	return w.live[d]
}

func (w *machine) attach(t *rapid.T, device string) {
	e, err := w.connect(w.user, device, w.replicas[device])
	w.must(t, err)
	w.live[device] = e
}

func (w *machine) key(t *rapid.T) string {
	return "set." + rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "key")
}

func (w *machine) value(t *rapid.T) string {
	return rapid.SampledFrom([]string{
		`0`, `1`, `""`, `false`, `"Zo\u00eb 😀"`, `1.0e2`, `[1,  2]`, `{"b":1, "a":[]}`, `"\u0000"`,
	}).Draw(t, "value")
}

// patch sends a patch and compares the answer and what follows with the model.
func (w *machine) patch(t *rapid.T, e *endpoint, p *Patch) {
	next, want := w.model.Patch(p)
	got, err := w.send(e, p)
	w.must(t, err)
	if got.Acked != want.Acked || got.Revision != want.Revision || got.Code != want.Code ||
		got.Duplicate != want.Duplicate || !maps.Equal(got.Current, want.Current) {
		t.Fatalf("patch %s: answered %+v, the model says %+v", p.text(), got, want)
	}
	w.to(next)
}

func (w *machine) to(next Model) {
	if next.Head > w.model.Head {
		w.states = append(w.states, next)
	}
	w.model = next
}

func (w *machine) fresh(e *endpoint, set map[string]string, base map[string]uint64) *Patch {
	w.made++
	p := &Patch{ID: fmt.Sprint("p", w.made), Device: e.device, Set: set, Base: base}
	w.patches = append(w.patches, p)
	return p
}

func (w *machine) put(t *rapid.T) {
	e := w.sender(t)
	w.patch(t, e, w.fresh(e, one(w.key(t), w.value(t)), nil))
}

func (w *machine) putHot(t *rapid.T) {
	e := w.sender(t)
	w.patch(t, e, w.fresh(e, one("set.a", w.value(t)), nil))
}

func (w *machine) remove(t *rapid.T) {
	e := w.sender(t)
	w.patch(t, e, w.fresh(e, one(w.key(t), "null"), nil))
}

func (w *machine) batch(t *rapid.T) {
	e := w.sender(t)
	set := one(w.key(t), w.value(t))
	set[w.key(t)] = w.value(t)
	set[w.key(t)] = "null"
	w.patch(t, e, w.fresh(e, set, nil))
}

func (w *machine) baseRight(t *rapid.T) {
	e, name := w.sender(t), w.key(t)
	base := map[string]uint64{name: w.model.Values[name].Revision}
	w.patch(t, e, w.fresh(e, one(name, w.value(t)), base))
}

func (w *machine) baseWrong(t *rapid.T) {
	e, name := w.sender(t), w.key(t)
	base := map[string]uint64{name: rapid.Uint64Range(0, w.model.Head+1).Draw(t, "base")}
	w.patch(t, e, w.fresh(e, map[string]string{name: w.value(t), "set.e": `"with it"`}, base))
}

func (w *machine) retryLast(t *rapid.T) { w.retry(t, len(w.patches)-1) }

func (w *machine) retryOld(t *rapid.T) {
	w.retry(t, rapid.IntRange(0, max(0, len(w.patches)-1)).Draw(t, "which"))
}

// retry sends a patch again, from whatever connection its device has now.
func (w *machine) retry(t *rapid.T, at int) {
	if at < 0 || len(w.patches) == 0 {
		t.Skip("no patch yet")
	}
	p := w.patches[at]
	if w.live[p.Device] == nil {
		w.attach(t, p.Device)
	}
	w.patch(t, w.live[p.Device], p)
}

func (w *machine) reuseID(t *rapid.T) {
	if len(w.patches) == 0 {
		t.Skip("no patch yet")
	}
	p := *rapid.SampledFrom(w.patches).Draw(t, "patch")
	p.Set = one(w.key(t), `"another body"`)
	if w.live[p.Device] == nil {
		w.attach(t, p.Device)
	}
	w.patch(t, w.live[p.Device], &p)
}

func (w *machine) disconnect(t *rapid.T) {
	d := rapid.SampledFrom(w.devices).Draw(t, "device")
	if w.live[d] == nil {
		t.Skip("is not connected")
	}
	w.live[d].disconnect()
	delete(w.live, d)
}

func (w *machine) reconnect(t *rapid.T) {
	d := rapid.SampledFrom(w.devices).Draw(t, "device")
	if w.live[d] != nil {
		t.Skip("is connected")
	}
	w.attach(t, d)
}

// resumeAnywhere connects a device that has some earlier state, or claims a
// later one, or is of another epoch (I9).
func (w *machine) resumeAnywhere(t *rapid.T) {
	d := rapid.SampledFrom(w.devices).Draw(t, "device")
	if w.live[d] != nil {
		w.live[d].disconnect()
		delete(w.live, d)
	}
	at := int(w.model.Head) + rapid.IntRange(-5, 5).Draw(t, "offset")
	at = max(at, 0)
	r := &Replica{Epoch: w.epoch, Revision: uint64(at), Values: map[string]Value{"set.a": {`"of the future"`, uint64(at)}}}
	if at <= int(w.model.Head) {
		r.Values = maps.Clone(w.states[at].Values)
	}
	if rapid.IntRange(0, 4).Draw(t, "epoch") == 0 || at > int(w.model.Head) {
		r.Epoch = "another" // a device ahead of its own epoch is a fault the validator names: TestResume has that row
	}
	w.replicas[d] = r
	w.attach(t, d)
}

func (w *machine) sync(t *rapid.T) {
	e := w.sender(t)
	revision := rapid.Uint64Range(0, w.model.Head+3).Draw(t, "revision")
	e.mu.Lock()
	if revision > e.replica.Revision {
		revision = e.replica.Revision
	}
	e.replica.Synced(revision)
	before := len(e.replica.Frames)
	e.mu.Unlock()
	e.session.Sync(revision)
	w.must(t, e.await("the answer to sync", func() bool { return len(e.replica.Frames) > before }))
}

// restart ends the process in order and starts another on the same file.
func (w *machine) restart(t *rapid.T) {
	if rapid.IntRange(0, 2).Draw(t, "really") > 0 {
		t.Skip("not now")
	}
	for _, e := range w.live {
		e.disconnect()
	}
	clear(w.live)
	w.stranger.disconnect()
	w.must(t, w.close())
	w.must(t, w.open())
	w.connectStranger(t)
}

func (w *machine) losePublish(t *rapid.T) {
	w.mu.Lock()
	w.lose = true
	w.mu.Unlock()
}

// commitFails makes a commit fail, before or after it is stored; the same patch
// is then sent again and gets its true answer.
func (w *machine) commitFails(t *rapid.T) {
	e := w.sender(t)
	when := rapid.SampledFrom([]string{"before", "after"}).Draw(t, "when")
	p := w.fresh(e, one(w.key(t), w.value(t)), nil)
	w.mu.Lock()
	w.fail = when
	w.mu.Unlock()
	got, err := w.send(e, p)
	w.must(t, err)
	if got.Acked || got.Code != "unavailable" {
		t.Fatalf("a failed commit answered %+v", got)
	}
	if when == "after" {
		next, _ := w.model.Patch(p)
		w.to(next) // and the hub looks, so that the devices have it too
	}
}

// check holds every replica against the model, and the store too.
func (w *machine) check(t *rapid.T) {
	behind := w.behind(w.user)
	for _, d := range w.devices {
		e := w.live[d]
		if e == nil {
			continue
		}
		if !behind {
			w.must(t, e.await(fmt.Sprint("revision ", w.model.Head), func() bool { return e.replica.Revision >= w.model.Head }))
		}
		e.mu.Lock()
		r := e.replica.Clone()
		faults := e.replica.Faults
		e.mu.Unlock()
		if len(faults) > 0 {
			t.Fatalf("%s: %v", d, faults)
		}
		if r.Revision > w.model.Head || r.Revision > 0 && !maps.Equal(r.Values, w.states[r.Revision].Values) {
			t.Fatalf("%s at %d has %s, the model %s", d, r.Revision, show(r.Values), show(w.states[min(r.Revision, w.model.Head)].Values))
		}
	}
	w.stranger.mu.Lock()
	defer w.stranger.mu.Unlock()
	if len(w.stranger.replica.Frames) > 0 {
		t.Fatalf("another user was sent %+v", w.stranger.replica.Frames) // I10
	}
}
