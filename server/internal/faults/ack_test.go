package faults

import (
	"fmt"
	"testing"
	"time"
)

// C-10: the answer is lost between commit and device, again and again. The
// retry is answered with the first revision, and nothing is stored twice.
func TestAckLostOnTheWire(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	proxy := r.proxy()
	device, watcher := r.client(0, r.through(proxy)), r.client(1)
	r.live(device, watcher)
	runs := Runs(50, 500)
	for run := range runs {
		proxy.DropDown(true)
		text := fmt.Sprintf(`"lost %d"`, run)
		p := device.Patch(one(key(run%10), text), nil)
		r.ok(watcher.Await(t.Context(), patient, func(s *Replica) bool { return s.Values[key(run%10)].Text == text }))
		first := watcher.State().Revision
		if p.Answered() {
			t.Fatalf("run %d is INVALID: the answer came through", run)
		}
		if run%2 == 0 {
			proxy.Cut()
		} else {
			device.Drop()
		}
		proxy.DropDown(false)
		r.acked(p)
		if p.Revision != first || !p.Duplicate {
			t.Errorf("run %d: the retry was answered with %d (duplicate %v), the first revision is %d",
				run, p.Revision, p.Duplicate, first)
		}
	}
	if proxy.Swallowed() == 0 {
		t.Error("INVALID: the proxy swallowed nothing")
	}
	r.converged(2*time.Second, device, watcher)
	rows := r.judge()
	if rows.Revision != uint64(runs) {
		t.Errorf("head %d after %d patches", rows.Revision, runs)
	}
	t.Logf("%d acks lost, %d bytes swallowed, %+v", runs, proxy.Swallowed(), r.Ledger.Tally())
}

// The connection is cut after so many bytes from the server, wherever in a
// frame that falls, while patches are under way.
func TestCutInsideFrames(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	proxy := r.proxy()
	device := r.client(0, r.through(proxy))
	r.live(device)
	for run := range Runs(30, 300) {
		proxy.CutAfter(int64(1 + run*37%700))
		for i := range 5 {
			device.Patch(one(key(i), fmt.Sprint(run)), nil)
		}
		for _, p := range device.waiting() {
			r.acked(p)
		}
	}
	opened, _, _, _ := device.Counts()
	if opened < 5 {
		t.Errorf("INVALID: only %d connections", opened)
	}
	r.converged(2*time.Second, device)
	r.judge()
	t.Logf("%d connections, %+v", opened, r.Ledger.Tally())
}
