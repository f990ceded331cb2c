package faults

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// lag asserts how long the patches acked between two moments took to reach a
// device on the other node, and returns the longest.
func (c *cluster) lag(when string, to *Client, begin, end time.Time, part float64, within time.Duration) time.Duration {
	c.Helper()
	lags := Lags(c.Ledger.Patches(), to.frames(), begin, end)
	if len(lags) == 0 {
		c.Errorf("INVALID: nothing was written %s", when)
	}
	if got := Percentile(lags, part); got > within {
		c.Errorf("%s a change took up to %v to the other node (p%v), at most %v is allowed", when, got, 100*part, within)
	}
	return Percentile(lags, 1)
}

// S-RD-1: Redis is away at the start, comes, and goes for a time under load:
// writes do not notice, and the other node is never far behind.
func TestWithoutRedis(t *testing.T) {
	t.Parallel()
	c := newCluster(t, plan{noRedis: true})
	all := c.spread(6)
	l := paced(all[:1], 20*time.Millisecond) // on A alone: a write of its own brings a node up
	away := time.Duration(Runs(7, 60)) * time.Second
	type span struct{ begin, end time.Time }
	down, up := span{begin: time.Now()}, span{}
	pause(t.Context(), away)
	down.end = time.Now()
	c.ok(c.Redis.Start(t.Context()))
	pause(t.Context(), 2*time.Second)
	up.begin = time.Now()
	pause(t.Context(), 2*time.Second)
	up.end = time.Now()
	pause(t.Context(), time.Second) // what was acked until then is through, and not killed on its way
	c.ok(c.Redis.Kill())
	again := span{begin: time.Now()}
	pause(t.Context(), away)
	again.end = time.Now()
	l.end()
	c.settled(all...)
	c.converged(6*time.Second, all...)
	for _, to := range []*Client{all[1], all[3], all[5]} { // on B
		first := c.lag("with Redis down at the start", to, down.begin, down.end, 1, 6*time.Second)
		back := c.lag("with Redis back", to, up.begin, up.end, 0.9, 500*time.Millisecond)
		last := c.lag("with Redis down again", to, again.begin, again.end, 1, 6*time.Second)
		t.Logf("on %s at most %v, %v, %v", to.Name, first, back, last)
	}
	with, without := Latencies(c.Ledger.Patches(), up.begin, up.end), Latencies(c.Ledger.Patches(), again.begin, again.end)
	// Who waited for Redis would wait a second and more. The middle is compared: a busy disk moves the rest.
	if slow := Percentile(without, 0.5); slow > Percentile(with, 0.5)*3/2+50*time.Millisecond {
		t.Errorf("writes take %v without Redis, %v with it (p50)", slow, Percentile(with, 0.5))
	}
	c.judge()
	t.Logf("%+v, answers p99 %v with Redis, %v without", c.Ledger.Tally(), Percentile(with, 0.99), Percentile(without, 0.99))
}

// S-RD-2: Redis is killed and comes back empty, again and again.
func TestRedisRestarts(t *testing.T) {
	t.Parallel()
	c := newCluster(t, plan{})
	all := c.spread(6)
	var slowest time.Duration
	for range Runs(3, 50) {
		l := paced(all[:4], 5*time.Millisecond)
		c.ok(Poll(t.Context(), patient, "writes", func() bool { return l.acked.Load() >= 20 }))
		c.ok(c.Redis.Kill())
		pause(t.Context(), 500*time.Millisecond)
		c.ok(c.Redis.Start(t.Context()))
		ready := time.Now()
		l.end()
		c.settled(all...)
		c.converged(2*time.Second-time.Since(ready), all...)
		slowest = max(slowest, time.Since(ready))
	}
	c.judge()
	t.Logf("%+v, equal at most %v after the start", c.Ledger.Tally(), slowest)
}

// S-RD-3: the nodes' subscriptions are killed all the time, publishing is fine.
func TestSubscriptionsAreKilled(t *testing.T) {
	t.Parallel()
	c := newCluster(t, plan{})
	all := c.spread(6)
	redis := c.Redis.Client()
	defer redis.Close()
	l := paced(all[:4], 5*time.Millisecond)
	var killed int64
	for begin := time.Now(); time.Since(begin) < time.Duration(Runs(3, 30))*time.Second; {
		n, err := redis.ClientKillByFilter(t.Context(), "TYPE", "pubsub").Result()
		c.ok(err)
		killed += n
		pause(t.Context(), 200*time.Millisecond)
	}
	l.end()
	c.settled(all...)
	equal := c.converged(2*time.Second, all...)
	if killed < 4 {
		t.Errorf("INVALID: only %d subscriptions were killed", killed)
	}
	c.judge()
	t.Logf("%d subscriptions killed, %+v, equal after %v", killed, c.Ledger.Tally(), equal)
}

// S-RD-4a: what Redis sends to A is swallowed, and the connection stays. (That a
// subscription is answered and yet silent, b, is tested in package cluster; so are
// lost, doubled and reordered messages, S-RD-5.)
func TestSilentRedis(t *testing.T) {
	t.Parallel()
	c := newCluster(t, plan{})
	deaf, writer := c.client(0, c.at(c.A)), c.client(1, c.at(c.B))
	c.live(deaf, writer)
	c.put(writer, key(0), `"before"`)
	c.converged(2*time.Second, deaf, writer)
	for run := range Runs(1, 10) {
		c.A.redis.DropDown(true)
		c.put(writer, key(1), fmt.Sprintf(`"run %d"`, run))
		took := c.converged(6*time.Second, deaf)
		c.A.redis.Cut() // no byte of a stream is ever lost in its middle
		c.A.redis.DropDown(false)
		c.put(writer, key(2), `"healed"`)
		healed := c.converged(2*time.Second, deaf)
		t.Logf("run %d: closed after %v, healed after %v", run, took, healed)
	}
	if c.A.redis.Swallowed() == 0 {
		t.Error("INVALID: nothing was swallowed")
	}
	c.judge()
}

// S-RD-6: a node stands still while more is published than Redis keeps for it:
// Redis drops its subscription, and what it missed comes from the database.
func TestNodeOverflowsItsBuffer(t *testing.T) {
	t.Parallel()
	c := newCluster(t, plan{})
	redis := c.Redis.Client()
	defer redis.Close()
	c.ok(redis.ConfigSet(t.Context(), "client-output-buffer-limit", "pubsub 1mb 0 0").Err())
	writer, behind := c.client(0, c.at(c.A)), c.client(1, c.at(c.B))
	c.live(writer, behind)
	c.put(writer, key(0), `"before"`)
	c.converged(2*time.Second, writer, behind)
	c.ok(c.B.Signal(syscall.SIGSTOP))
	dropped := func() bool { return strings.Contains(c.Redis.Log(), "overcoming of output buffer limits") }
	large := `"` + strings.Repeat("x", 8000) + `"`
	for n := 0; n < Runs(200, 800) && !dropped(); n++ {
		for i := range 8 { // at once: they share a commit
			writer.Patch(map[string]string{key(3 * i): large, key(3*i + 1): large, key(3*i + 2): large}, nil)
		}
		c.settled(writer)
	}
	if !dropped() {
		t.Error("INVALID: Redis kept everything for the node that stood still")
	}
	c.ok(c.B.Signal(syscall.SIGCONT))
	took := c.converged(6*time.Second, writer, behind)
	c.judge()
	t.Logf("equal %v after it went on, %+v", took, c.Ledger.Tally())
}

// S-RD-7: whatever somebody publishes in Redis, no device is shown what is not
// its user's and stored, and no node ends. (The forms are in package cluster.)
func TestForgedMessages(t *testing.T) {
	t.Parallel()
	c := newCluster(t, plan{users: 2})
	mine := c.spread(4)
	others := c.groups[1]
	theirs := []*Client{others.client(4, c.at(c.A)), others.client(5, c.at(c.B))}
	others.live(theirs...)
	redis := c.Redis.Client()
	defer redis.Close()
	overheard := redis.PSubscribe(t.Context(), "*")
	defer overheard.Close()
	_, err := overheard.Receive(t.Context())
	c.ok(err)
	c.put(mine[0], key(1), `"mine"`)
	message, err := overheard.ReceiveMessage(t.Context())
	c.ok(err)
	for n, forged := range forgeries(message.Payload) {
		c.ok(redis.Publish(t.Context(), message.Channel, forged).Err())
		if n%5 == 0 {
			c.put(mine[n%4], key(2), fmt.Sprint(n))
			others.put(theirs[n%2], key(2), fmt.Sprint(n))
		}
	}
	c.converged(6*time.Second, mine...)
	others.converged(6*time.Second, theirs...)
	c.judgeAll()
	if c.A.Ended() || c.B.Ended() {
		t.Error("a node has ended")
	}
}

// forgeries are variations of a true message.
func forgeries(genuine string) []string {
	all := []string{"", "null", "[]", "{}", "true", `"x"`, "\x00", "\xff\xfe", strings.Repeat("[", 10_000), strings.Repeat("x", 1<<20)}
	for from, to := range map[string]string{
		user: users[1], `"mine"`: `"forged"`, key(1)[4:]: key(7)[4:], `:1`: `:18446744073709551615`, `1`: `0`,
		`"`: "", `}`: ``, `{`: `{"more":{`, `:`: `:[`, `,`: `,"node":"x",`,
	} {
		all = append(all, strings.ReplaceAll(genuine, from, to))
	}
	return append(all, genuine, genuine, genuine+genuine)
}

// S-RD-8: a node dies between its commit and telling the others.
func TestKilledBeforePublishing(t *testing.T) {
	t.Parallel()
	c := newCluster(t, plan{})
	dying, watcher := c.client(0, c.at(c.A)), c.client(1, c.at(c.B))
	c.live(dying, watcher)
	var slowest time.Duration
	for run := range Runs(3, 50) {
		c.A.redis.Refuse(true)
		c.put(dying, key(1), fmt.Sprintf(`"run %d"`, run))
		c.ok(c.A.Kill())
		slowest = max(slowest, c.converged(6*time.Second, watcher))
		c.A.redis.Refuse(false)
		c.ok(c.A.Start(t.Context()))
		c.live(dying)
	}
	c.converged(2*time.Second, dying, watcher)
	c.judge()
	t.Logf("on the other node at most %v later", slowest)
}

// S-CL-1: the nodes are parted: Redis is cut for one of them, and both go on
// writing. Their states cannot diverge.
func TestNodesAreParted(t *testing.T) {
	t.Parallel()
	c := newCluster(t, plan{})
	all := c.spread(8)
	l := paced(all[:6], 10*time.Millisecond)
	c.ok(Poll(t.Context(), patient, "writes", func() bool { return l.acked.Load() >= 50 }))
	begin := time.Now()
	c.A.redis.Refuse(true)
	pause(t.Context(), time.Duration(Runs(7, 20))*time.Second)
	l.end()
	c.settled(all...)
	parted := c.converged(6*time.Second, all...)
	last := c.put(all[0], key(110), `"before the cut heals"`)
	c.A.redis.Refuse(false)
	healed := c.converged(2*time.Second, all...)
	for _, to := range all[6:] {
		c.lag("while parted", to, begin, last.Sent, 1, 6*time.Second)
	}
	c.judge()
	t.Logf("%+v, equal %v after the last write while parted, %v after it healed", c.Ledger.Tally(), parted, healed)
}
