package faults

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"social-server/internal/backing"
)

// The cut after COMMIT leaves PostgreSQL with the commit and the client without
// an answer; a refusal leaves the client with nothing; a delay only delays.
func TestProxyBeforePostgres(t *testing.T) {
	t.Parallel()
	p, err := backing.StartPostgres(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.StopNow(); err != nil {
			t.Error(err)
		}
	})
	d := &depot{Postgres: p}
	proxy := newProxy(t, p.Addr)
	conn := func() *pgx.Conn {
		t.Helper()
		c, err := pgx.Connect(t.Context(), d.through(proxy, "postgres"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close(context.Background()) })
		return c
	}
	if err := execute(t.Context(), p.URL("postgres"), "CREATE TABLE t (id text); INSERT INTO t VALUES ('first')"); err != nil {
		t.Fatal(err)
	}
	for run := range 10 {
		proxy.CutUp(func(sent []byte) bool { return bytes.Contains(sent, []byte("commit\x00")) })
		tx, err := conn().Begin(t.Context())
		if err == nil {
			_, err = tx.Exec(t.Context(), "INSERT INTO t VALUES ($1)", "cut")
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(t.Context()); err == nil || proxy.Fired() != run+1 {
			t.Errorf("the commit was answered with %v, %d were cut", err, proxy.Fired())
		}
	}
	direct, err := pgx.Connect(t.Context(), p.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = direct.Close(context.Background()) }()
	rows := 0
	if err := Poll(t.Context(), patient, "the cut commits were executed", func() bool {
		return direct.QueryRow(t.Context(), "SELECT count(*) FROM t").Scan(&rows) == nil && rows == 11
	}); err != nil {
		t.Errorf("%d rows: %v", rows, err)
	}

	far := conn()
	proxy.Delay(100 * time.Millisecond)
	begin := time.Now()
	if err := far.Ping(t.Context()); err != nil || time.Since(begin) < 100*time.Millisecond {
		t.Errorf("100 ms away: %v after %v", err, time.Since(begin))
	}
	proxy.Delay(0)
	proxy.Refuse(true)
	if err := far.Ping(t.Context()); err == nil {
		t.Error("a connection outlived the refusal")
	}
	if c, err := pgx.Connect(t.Context(), d.through(proxy, "postgres")); err == nil {
		t.Error("a connection was made through a refusal", c.Close(t.Context()))
	}
	proxy.Refuse(false)
	if err := conn().Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// How long changes took is counted from the ack to the first frame at or above
// its revision.
func TestLags(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	at := func(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }
	done := make(chan struct{})
	close(done)
	patch := func(revision uint64, sent, end int) *Patch {
		return &Patch{Sent: at(sent), End: at(end), Done: done, Result: Result{Acked: true, Revision: revision}}
	}
	patches := []*Patch{patch(1, 0, 10), patch(2, 10, 20), patch(3, 20, 30), patch(4, 30, 5000)}
	frames := []Frame{{Revision: 1, At: at(5)}, {Revision: 3, At: at(60)}, {Revision: 2, At: at(70)}}
	got := Lags(patches, frames, begin, at(1000))
	if len(got) != 3 || got[0] != 0 || got[1] != 30*time.Millisecond || got[2] != 40*time.Millisecond {
		t.Errorf("lags %v", got)
	}
	if got := Percentile(got, 1); got != 40*time.Millisecond {
		t.Errorf("at most %v", got)
	}
	if got := Latencies(patches, begin, at(1000)); len(got) != 4 || got[0] != 10*time.Millisecond {
		t.Errorf("latencies %v", got)
	}
	if got := busiest([]time.Duration{0, 1, 2, 10, 11, 30}, 3); got != 3 {
		t.Errorf("busiest %d", got)
	}
}
