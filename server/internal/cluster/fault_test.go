package cluster

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// [SPEC I5] S-RD-1: Redis is not there at the start. Nodes start, serve their
// own devices, and follow each other by the store; then Redis comes.
func TestWithoutRedis(t *testing.T) {
	t.Parallel()
	server := ownRedis(t)
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	truth := newTruth("d_1", "d_2")
	o := Options{URL: server.URL()}
	a, b := start(t, truth, o), start(t, truth, o)
	one, two := a.connect(t, "d_1"), b.connect(t, "d_2")
	a.put("1")
	soon(t, time.Second, "its own device", func() bool { return one.has(`"value":1`) })
	took := soon(t, 6*time.Second, "the other node", func() bool { return two.has(`"value":1`) })
	t.Logf("without Redis a change took %v", took)
	if online := b.Online(t.Context(), "u")[0]; online["d_2"] != 1 || online["d_1"] != 0 {
		t.Errorf("online without Redis: %v", online)
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	back := time.Now()
	a.ready(t)
	b.ready(t)
	a.put("2")
	soon(t, time.Second, "a change after Redis came", func() bool { return two.has(`"value":2`) })
	soon(t, 2*time.Second, "presence after Redis came", func() bool { return b.Online(t.Context(), "u")[0]["d_1"] == 1 })
	t.Logf("all was well %v after Redis came", time.Since(back))
}

// [SPEC I5] S-RD-2: Redis restarts, empty, while nodes write.
func TestRedisRestarts(t *testing.T) {
	t.Parallel()
	server := ownRedis(t)
	_, a, b, _, two := pair(t, Options{URL: server.URL()})
	for i := range 5 {
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		a.put(fmt.Sprint(100 + i)) // nobody hears it
		if err := server.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		soon(t, 2*time.Second, "what was lost", func() bool { return two.has(fmt.Sprint(`"value":`, 100+i)) })
		soon(t, 3*time.Second, "presence", func() bool {
			return b.Online(t.Context(), "u")[0]["d_1"] == 1 && a.Online(t.Context(), "u")[0]["d_2"] == 1
		})
	}
	if b.events.of(Resubscribed) < 5 {
		t.Errorf("%d subscriptions were made anew", b.events.of(Resubscribed))
	}
}

// [SPEC I5] S-RD-3: subscriptions are killed five times a second while a node writes.
func TestSubscriptionsAreKilled(t *testing.T) {
	t.Parallel()
	server := ownRedis(t)
	_, a, b, one, two := pair(t, Options{URL: server.URL()})
	admin := server.Client()
	defer admin.Close()
	killed := int64(0)
	for i := range 60 {
		a.put(fmt.Sprint(100 + i))
		b.put(fmt.Sprint(500 + i))
		if i%4 == 3 {
			n, err := admin.ClientKillByFilter(t.Context(), "TYPE", "pubsub").Result()
			if err != nil {
				t.Fatal(err)
			}
			killed += n
		}
		time.Sleep(50 * time.Millisecond) // the pace of the scenario
	}
	if killed < 10 {
		t.Fatalf("only %d were killed", killed)
	}
	soon(t, 2*time.Second, "the last change on both", func() bool { return one.has(`"value":559`) && two.has(`"value":559`) })
}

// proxy passes bytes to a server, and back until it is told to swallow them.
type proxy struct {
	net.Listener
	to      string
	swallow atomic.Bool
	all     sync.WaitGroup
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: listener, to: to}
	p.all.Go(p.serve)
	t.Cleanup(p.all.Wait)
	t.Cleanup(func() { _ = listener.Close() })
	return p
}

func (p *proxy) serve() {
	for {
		near, err := p.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.to)
		if err != nil {
			_ = near.Close()
			continue
		}
		p.all.Go(func() {
			_, _ = io.Copy(far, near)
			_ = far.Close()
		})
		p.all.Go(func() {
			_, _ = io.Copy(swallower{near, p}, far)
			_ = near.Close()
		})
	}
}

type swallower struct {
	to io.Writer
	p  *proxy
}

func (s swallower) Write(b []byte) (int, error) {
	if s.p.swallow.Load() {
		return len(b), nil
	}
	return s.to.Write(b)
}

// S-RD-4 a: a connection that stays open and brings nothing any more. The lost
// probe opens another one, and what was missed is read.
func TestSwallowedSubscription(t *testing.T) {
	t.Parallel()
	p := newProxy(t, shared.Addr())
	truth := newTruth("d_1", "d_2")
	a := start(t, truth, Options{})
	b := start(t, truth, Options{Subscribe: "redis://" + p.Addr().String()})
	a.connect(t, "d_1")
	two := b.connect(t, "d_2")
	b.ready(t)
	truth.set(func() { truth.blind = true }) // the head check must not help
	p.swallow.Store(true)
	a.put("1")
	soon(t, 5*time.Second, "a lost probe", func() bool { return b.events.of(ProbeLost) > 0 })
	p.swallow.Store(false)
	took := soon(t, 6*time.Second, "what was swallowed", func() bool { return two.has(`"value":1`) })
	t.Logf("after the lost probe it took %v", took)
}

// silent makes a node subscribe at a Redis that was a replica of the one that
// all publish to, and is a master of its own since.
func silent(t *testing.T) (a, b *node, two *far) {
	t.Helper()
	master, replica := ownRedis(t), ownRedis(t)
	admin := replica.Client()
	defer admin.Close()
	host, port, err := net.SplitHostPort(master.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if err := admin.ReplicaOf(t.Context(), host, port).Err(); err != nil {
		t.Fatal(err)
	}
	truth := newTruth("d_1", "d_2")
	a = start(t, truth, Options{URL: master.URL()})
	b = start(t, truth, Options{URL: master.URL(), Subscribe: replica.URL()})
	a.connect(t, "d_1")
	two = b.connect(t, "d_2")
	b.ready(t)
	truth.set(func() { truth.blind = true })
	soon(t, 10*time.Second, "a change through the replica", func() bool {
		if !two.has(`"value":0`) {
			a.put("0")
		}
		return two.has(`"value":0`)
	})
	if err := admin.ReplicaOf(t.Context(), "NO", "ONE").Err(); err != nil {
		t.Fatal(err)
	}
	return a, b, two
}

// S-RD-4 b: a subscription that answers everything and will never bring a
// message. The head check, or the probe, finds what was missed.
func TestSilentSubscription(t *testing.T) {
	t.Parallel()
	a, b, two := silent(t)
	a.truth.set(func() { a.truth.blind = false })
	a.put("7")
	took := soon(t, 6*time.Second, "the change", func() bool { return two.has(`"value":7`) })
	soon(t, 6*time.Second, "a lost probe", func() bool { return b.events.of(ProbeLost) > 0 })
	t.Logf("a silent subscription delayed a change by %v", took)
}

// The control of the test above: without probe and head check nobody finds it.
func TestSilentSubscriptionIsSilent(t *testing.T) {
	t.Parallel()
	a, b, two := silent(t)
	s := b.broker.subscription
	s.mu.Lock()
	s.patience = time.Hour
	s.mu.Unlock()
	a.put("7")
	time.Sleep(7 * time.Second) // nothing is to happen
	if two.has(`"value":7`) {
		t.Error("found without probe and head check: the test above shows nothing")
	}
}

// [SPEC L3] A node that is killed leaves no devices online: neither on nodes
// that heard of it nor on one that starts later and finds what it wrote.
func TestKilledNode(t *testing.T) {
	t.Parallel()
	truth := newTruth("d_1", "d_2", "d_3")
	fast := Options{Beat: 100 * time.Millisecond}
	a, b := start(t, truth, fast), start(t, truth, fast)
	two := b.connect(t, "d_2")
	a.connect(t, "d_1")
	soon(t, 2*time.Second, "online", func() bool { return b.Online(t.Context(), "u")[0]["d_1"] == 1 })

	a.broker.stop() // it says nothing any more, not even that it ends
	took := soon(t, 2*time.Second, "offline", func() bool { return b.Online(t.Context(), "u")[0]["d_1"] == 0 })
	soon(t, time.Second, "shown offline", func() bool {
		return two.last("presence", `"id":"d_1","name":"name of d_1","online":false`) != ""
	})
	t.Logf("six beats of 100 ms: offline after %v", took)
	c := start(t, truth, fast)
	soon(t, 2*time.Second, "nobody on the new node", func() bool {
		online := c.Online(t.Context(), "u")[0]
		return online["d_1"] == 0 && online["d_2"] == 1
	})
	b.Gap("u") // somebody asks, and what the dead have left is swept
	soon(t, 2*time.Second, "nothing left of it", func() bool {
		fields, err := b.broker.client.HKeys(t.Context(), b.broker.presenceKey("u")).Result()
		return err == nil && len(fields) == 1 && fields[0] == b.broker.node
	})
}

// A node that stops in order says so at once, and leaves nothing in Redis.
func TestStoppedNode(t *testing.T) {
	t.Parallel()
	truth := newTruth("d_1", "d_2")
	a := start(t, truth, Options{})
	o := Options{Prefix: a.broker.Prefix, URL: shared.URL(), Keys: [][]byte{secret}}
	b := start(t, truth, o)
	two := b.connect(t, "d_2")
	one := a.connect(t, "d_1")
	online := `"id":"d_1","name":"name of d_1","online":true`
	soon(t, 2*time.Second, "online", func() bool { return two.has(online) })
	one.leave()
	a.stop(t)
	soon(t, time.Second, "offline", func() bool { return two.last("presence", `"id":"d_1","name":"name of d_1","online":false`) != "" })
	fields, err := b.broker.client.HGetAll(context.Background(), b.broker.presenceKey("u")).Result()
	if _, left := fields[a.broker.node]; err != nil || left {
		t.Errorf("it left %v: %v", fields, err)
	}
}

// [SPEC I7] Redis that stands still holds up nobody: what is told is dropped
// when there is too much of it.
func TestFrozenRedis(t *testing.T) {
	t.Parallel()
	server := ownRedis(t)
	_, a, _, one, two := pair(t, Options{URL: server.URL()})
	if err := server.Freeze(); err != nil {
		t.Fatal(err)
	}
	long := fmt.Sprintf("%q", strings.Repeat("x", 400_000))
	began := time.Now()
	for range 60 { // 24 MB, more than the queue takes
		a.put(long)
	}
	a.put("9")
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("publishing took %v", took)
	}
	soon(t, time.Second, "its own device", func() bool { return one.has(`"value":9`) })
	if err := server.Thaw(); err != nil {
		t.Fatal(err)
	}
	soon(t, 6*time.Second, "the other node", func() bool { return two.has(`"value":9`) })
	soon(t, 5*time.Second, "what was dropped is counted", func() bool { return a.events.of(Dropped) > 0 })
}
