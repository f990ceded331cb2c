package faults

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// S-TERM-1: SIGTERM with many sockets and traffic: every socket is told and
// closed with 4000, what was acked is stored, nothing is answered after the
// farewell, and the exit code is 0.
func TestTerminateUnderLoad(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var all []*Client
	for n := range Runs(200, 1000) {
		all = append(all, r.client(n, func(o *Options) { o.Back = time.Second }))
	}
	r.live(all...)
	l := write(all[:8])
	r.ok(Poll(t.Context(), patient, "50 writes", func() bool { return l.acked.Load() >= 50 }))
	begin := time.Now()
	r.ok(r.Stop(t.Context()))
	took := time.Since(begin)
	l.end()
	told, late := 0, 0
	for _, c := range all {
		c.Close()
		_, closes, byes, after := c.Counts()
		late += after
		if len(closes) > 0 && closes[0] == 4000 && byes > 0 {
			told++
		}
	}
	if told != len(all) || late > 0 || took > 30*time.Second {
		t.Errorf("%d of %d sockets had bye and 4000, %d answers came after bye, exit after %v", told, len(all), late, took)
	}
	r.judge()
	t.Logf("%d sockets closed in %v, %+v", told, took, r.Ledger.Tally())
}

// S-TERM-4: a second SIGTERM ends the server at once, and still nothing acked is lost.
func TestTerminateTwice(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	proxy := r.proxy()
	stuck, writer := r.client(0, r.through(proxy)), r.client(1)
	r.live(stuck, writer)
	proxy.Freeze() // a peer that never answers the close holds the stop up
	l := write([]*Client{writer})
	r.ok(Poll(t.Context(), patient, "20 writes", func() bool { return l.acked.Load() >= 20 }))
	r.ok(r.Signal(syscall.SIGTERM))
	r.ok(Poll(t.Context(), patient, "it stops", func() bool { return strings.Contains(r.Log.String(), "stopping") || r.Ended() }))
	begin := time.Now()
	r.ok(r.Signal(syscall.SIGTERM))
	code, err := r.Wait(t.Context(), 5*time.Second)
	r.ok(err)
	if took := time.Since(begin); took > time.Second || code == 0 {
		t.Errorf("exit code %d after %v", code, took)
	}
	l.end()
	proxy.Thaw()
	r.start()
	for _, p := range writer.waiting() {
		r.acked(p)
	}
	r.live(writer)
	r.converged(2*time.Second, writer)
	r.judge()
}

// S-CFG-2: a second server on the same database is refused; the first does not notice.
func TestSecondServerIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.client(0)
	r.live(c)
	r.put(c, key(1), `"before"`)
	second := &Process{Binary: r.Binary, Dir: r.Dir, Env: r.Env, Log: &Log{}}
	begin := time.Now()
	if err := second.Start(t.Context()); err == nil {
		t.Error("a second server started", second.Kill())
	}
	if took := time.Since(begin); took > 5*time.Second || !strings.Contains(second.Log.String(), "in use by another") {
		t.Errorf("after %v it said %q", took, second.Log.String())
	}
	r.put(c, key(1), `"after"`)
	opened, _, _, _ := c.Counts()
	if opened != 1 {
		t.Errorf("the first server's device had %d connections", opened)
	}
	r.judge()
}
