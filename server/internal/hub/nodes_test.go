package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"social-server/internal/errs"
	"social-server/internal/protocol"
	"social-server/internal/settings"
)

// broker is a relay in memory between the registries of a test. By seed it
// loses, doubles and delays news, and so puts them out of order.
type broker struct {
	mu         sync.Mutex
	random     *rand.Rand
	lose       float64 // of the news; some of the rest come twice
	delay      time.Duration
	registries map[string]*Registry
	kept       map[string][]Connected // by node
	down       bool
	told       []News
}

func newBroker(seed uint64, lose float64, delay time.Duration) *broker {
	return &broker{
		random: rand.New(rand.NewPCG(seed, 5)), lose: lose, delay: delay,
		registries: make(map[string]*Registry), kept: make(map[string][]Connected),
	}
}

// node starts a registry at the broker.
func (b *broker) node(source Source, name string, change ...func(*Options)) *Registry {
	r := newTestRegistry(source, append(change, func(o *Options) { o.Relay = link{b, name} })...)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.registries[name] = r
	return r
}

// link is one node's end of the broker (Relay).
type link struct {
	*broker
	name string
}

func (l link) Tell(n News) {
	n.Node = l.name
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, n)
	for name, r := range l.registries {
		if name == l.name || l.down {
			continue
		}
		for copies := 1 + l.random.IntN(10)/9; copies > 0; copies-- {
			if l.random.Float64() >= l.lose {
				time.AfterFunc(time.Duration(l.random.Int64N(int64(l.delay)+1)), func() { r.Hear(n) })
			}
		}
	}
}

// Mark announces a little later, as it is then.
func (l link) Mark(user string) {
	time.AfterFunc(10*time.Millisecond, func() {
		l.mu.Lock()
		r := l.registries[l.name]
		l.mu.Unlock()
		connected, _ := r.Here(user)
		l.mu.Lock()
		l.kept[l.name] = connected
		l.mu.Unlock()
		l.Tell(News{Kind: PresenceNews, User: user, Connected: connected})
	})
}

func (l link) Others(context.Context, string) (map[string][]Connected, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return nil, errors.New("down")
	}
	others := make(map[string][]Connected)
	for name, connected := range l.kept {
		if name != l.name && len(connected) > 0 {
			others[name] = connected
		}
	}
	return others, nil
}

func (b *broker) set(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

// nodes runs a test with two nodes in a bubble.
func nodes(t *testing.T, b *broker, source Source, test func(t *testing.T, one, two *Registry)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		one, two := b.node(source, "one"), b.node(source, "two")
		test(t, one, two)
		for _, r := range []*Registry{one, two} {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := r.Close(ctx); err != nil {
				t.Errorf("close: %v", err)
			}
		}
		time.Sleep(time.Second) // news on their way arrive
	})
}

// replica is a device that checks what it is sent, as any client may (Conn).
type replica struct {
	fakeConn
	revision uint64
	value    string
	faults   []string
}

func (c *replica) Write(frames []*protocol.Frame) error {
	if err := c.fakeConn.Write(frames); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range frames {
		var m struct {
			From, Revision uint64
			Values         map[string]map[string]struct {
				Value    json.RawMessage
				Revision uint64
			}
		}
		if err := json.Unmarshal(f.Data, &m); err != nil {
			return err
		}
		switch {
		case f.Type == "change" && (m.From > c.revision || m.Revision <= c.revision):
			c.faults = append(c.faults, fmt.Sprintf("at %d: %s", c.revision, f.Data))
		case f.Type == "change":
			c.revision, c.value = m.Revision, string(m.Values["billing"]["salary"].Value)
			if last := m.Values["billing"]["salary"].Revision; last != m.Revision {
				c.faults = append(c.faults, fmt.Sprintf("the value of %d as that of %d", last, m.Revision))
			}
		case f.Type == "ack" && m.Revision > c.revision:
			c.faults = append(c.faults, fmt.Sprintf("at %d: an ack for %d", c.revision, m.Revision))
		}
	}
	return nil
}

func (c *replica) state() (uint64, string, []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.revision, c.value, c.faults
}

// [SPEC S1] [SPEC S4] [SPEC I5] S-RD-5: of the news between two nodes 30 % are
// lost, some come twice, and all out of order; some are not even sent. Every
// device sees an unbroken stream, its acks after its changes, and all are equal
// within the time of a check.
func TestLossyRelayIsInvisible(t *testing.T) {
	for seed := range uint64(100) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			source := newSource("d_1", "d_2", "d_3", "d_4")
			nodes(t, newBroker(seed, 0.3, 30*time.Millisecond), source, func(t *testing.T, one, two *Registry) {
				random := rand.New(rand.NewPCG(seed, 6))
				var sessions []*Session
				var replicas []*replica
				for i, r := range []*Registry{one, one, two, two} {
					c := &replica{}
					s := open(t, r, fmt.Sprint("d_", i+1), c, nil)
					defer s.Detach()
					sessions, replicas = append(sessions, s), append(replicas, c)
				}
				time.Sleep(10 * time.Millisecond)
				text := ""
				for i := range 60 {
					s := sessions[random.IntN(len(sessions))]
					if err := s.Begin(); err != nil {
						t.Fatal(err)
					}
					text = fmt.Sprint(i)
					change := source.commit("salary", text, s.Device.ID)
					if random.IntN(20) > 0 { // else the node dies at this point, as far as others can tell
						s.hub.registry.Publish("u", change)
					}
					ack(s, change.Revision)
					time.Sleep(time.Duration(random.IntN(10)) * time.Millisecond)
				}
				time.Sleep(checkEvery + 2*checkSpread)
				for i, c := range replicas {
					revision, value, faults := c.state()
					if len(faults) > 0 || revision != source.state.Revision || value != text {
						t.Errorf("device %d has %s at %d, the store %s at %d: %v", i, value, revision, text, source.state.Revision, faults)
					}
				}
			})
		})
	}
}

// [SPEC S4] Another node's change has not arrived when this one stores the next:
// the ack waits until the hub has read what is between, and so do those after it.
func TestAckWaitsForAnotherNodesChange(t *testing.T) {
	source := newSource("d_1", "d_2")
	nodes(t, newBroker(1, 1, 0), source, func(t *testing.T, one, _ *Registry) {
		conn := &fakeConn{}
		s := open(t, one, "d_1", conn, nil)
		defer s.Detach()
		synctest.Wait()
		conn.take()
		slow := &slowSource{source, make(chan struct{})}
		one.source = slow
		source.commit("salary", "1", "d_2") // on the other node
		one.Publish("u", source.commit("period", "2", "d_1"))
		ack(s, 2)
		s.Send(protocol.Refused("q", errs.From(errRestarting)))
		synctest.Wait()
		if types, _ := conn.take(); types != "" {
			t.Fatalf("sent %q before the store was read", types)
		}
		close(slow.answer)
		synctest.Wait()
		types, frames := conn.take()
		if types != "change ack refused" || !strings.Contains(last(frames, "change"), `"from":0,"revision":2`) {
			t.Errorf("got %q: %s", types, last(frames, "change"))
		}
	})
}

// An answer for what the store has not, as after a restore, is not held for ever.
func TestAckOfAnotherEpochIsLetGo(t *testing.T) {
	source := newSource("d_1")
	nodes(t, newBroker(1, 0, 0), source, func(t *testing.T, one, _ *Registry) {
		conn := &fakeConn{}
		s := open(t, one, "d_1", conn, nil)
		defer s.Detach()
		synctest.Wait()
		conn.take()
		ack(s, 99)
		synctest.Wait()
		if types, _ := conn.take(); types != "ack" {
			t.Errorf("got %q", types)
		}
	})
}

// [SPEC S4] [SPEC E5] A node stops while an ack waits for another node's change.
// It is sent, behind its change; or, if the store cannot be read, it is not, and
// the session closes nevertheless.
func TestStopWithAnAckThatWaits(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"the store answers": {nil, "change ack bye"},
		"the store fails":   {errors.New("the database is away"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			source := newSource("d_1", "d_2")
			nodes(t, newBroker(1, 1, 0), source, func(t *testing.T, one, _ *Registry) {
				conn := &fakeConn{}
				s := open(t, one, "d_1", conn, nil)
				synctest.Wait()
				conn.take()
				slow := &slowSource{source, make(chan struct{})}
				one.source = slow
				source.set(func() { source.err = tt.err })
				source.commit("salary", "1", "d_2") // on the other node
				one.Publish("u", source.commit("period", "2", "d_1"))
				ack(s, 2)
				closed := make(chan error)
				go func() { closed <- one.Close(context.Background()) }()
				synctest.Wait()
				if types, _ := conn.take(); types != "" || conn.end() != "" {
					t.Errorf("sent %q, closed %q before the store answered", types, conn.end())
				}
				if tt.err == nil {
					close(slow.answer)
				} else {
					slow.answer <- struct{}{}
				}
				synctest.Wait()
				if types, _ := conn.take(); types != tt.want || conn.end() != "4000 restart" {
					t.Errorf("sent %q, closed %q", types, conn.end())
				}
				source.set(func() { source.err = nil })
				s.Detach()
				if tt.err != nil {
					close(slow.answer)
				}
				if err := <-closed; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// [SPEC I5] [SPEC A2] Without any relay a node finds by itself, within six
// seconds, what others stored and whom they shut out: by two questions for all
// its users and sessions.
func TestCheck(t *testing.T) {
	source := newSource("d_1", "d_2", "d_3")
	nodes(t, newBroker(1, 1, 0), source, func(t *testing.T, one, _ *Registry) {
		conns := map[string]*fakeConn{"d_1": {}, "d_2": {}, "d_3": {}}
		for device, conn := range conns {
			defer open(t, one, device, conn, nil).Detach()
		}
		synctest.Wait()
		conns["d_1"].take()
		source.commit("salary", "7", "d_9")
		source.set(func() {
			source.lost = map[string]Standing{"d_2": SignedOut, "d_3": Revoked}
			source.asked = 0
		})
		time.Sleep(checkEvery + checkSpread)
		synctest.Wait()
		if _, frames := conns["d_1"].take(); !strings.Contains(last(frames, "change"), `"value":7`) {
			t.Error("the change was not found")
		}
		if conns["d_1"].end() != "" || conns["d_2"].end() != "4501 signed out" || conns["d_3"].end() != "4503 device revoked" {
			t.Errorf("ended %q, %q, %q", conns["d_1"].end(), conns["d_2"].end(), conns["d_3"].end())
		}
		if source.asked != 2 {
			t.Errorf("%d questions, want 2", source.asked)
		}
		source.set(func() { source.epoch, source.state = "new1", settings.State{} })
		time.Sleep(checkEvery + checkSpread)
		synctest.Wait()
		if _, frames := conns["d_1"].take(); !strings.Contains(last(frames, "change"), `"epoch":"new1","from":0,"revision":0`) {
			t.Errorf("the new epoch was not found: %s", last(frames, "change"))
		}
	})
}

// A store that lost its newest revisions, as one that took over from another
// may, is found, and every device is brought to what is there.
func TestCheckFindsWhatWasLost(t *testing.T) {
	source := newSource("d_1")
	source.commit("salary", "1", "d_1")
	before := source.state
	nodes(t, newBroker(1, 1, 0), source, func(t *testing.T, one, _ *Registry) {
		conn := &fakeConn{}
		defer open(t, one, "d_1", conn, nil).Detach()
		one.Publish("u", source.commit("salary", "2", "d_1"))
		synctest.Wait()
		conn.take()
		source.set(func() {
			source.state = settings.State{}
			source.state.Apply(settings.Change{Revision: 1, Entries: before.Since(0)})
		})
		time.Sleep(checkEvery + checkSpread)
		synctest.Wait()
		if _, frames := conn.take(); !strings.Contains(last(frames, "change"), `"from":0,"revision":1`) {
			t.Errorf("got %s", last(frames, "change"))
		}
	})
}

// [SPEC I5] A hint of a revision that nobody has costs one read, and is forgotten.
func TestAbsurdRevisionCostsOneRead(t *testing.T) {
	source := newSource("d_1")
	nodes(t, newBroker(1, 0, 0), source, func(t *testing.T, one, _ *Registry) {
		conn := &fakeConn{}
		defer open(t, one, "d_1", conn, nil).Detach()
		time.Sleep(time.Millisecond)
		conn.take()
		before := source.readsSoFar()
		for _, c := range []settings.Change{
			{Epoch: "k3f9", From: 1 << 63, Revision: 1<<63 + 1}, {Epoch: "old", From: 0, Revision: 1},
		} {
			one.Hear(News{Kind: ChangeNews, User: "u", Change: c})
			time.Sleep(time.Millisecond)
			if before++; source.readsSoFar() != before {
				t.Errorf("%d reads, want %d", source.readsSoFar(), before)
			}
		}
		one.Publish("u", source.commit("salary", "1", "d_1"))
		synctest.Wait()
		if types, _ := conn.take(); types != "change" || source.readsSoFar() != before {
			t.Errorf("after it: %q and %d reads", types, source.readsSoFar())
		}
	})
}

// A commit whose end nobody knows may have been stored: every node looks.
func TestDoubt(t *testing.T) {
	source := newSource("d_1", "d_2")
	nodes(t, newBroker(1, 0, 0), source, func(t *testing.T, one, two *Registry) {
		here, there := &fakeConn{}, &fakeConn{}
		defer open(t, one, "d_1", here, nil).Detach()
		defer open(t, two, "d_2", there, nil).Detach()
		synctest.Wait()
		source.commit("salary", "1", "d_1")
		one.Doubt("u")
		time.Sleep(time.Millisecond)
		for name, conn := range map[string]*fakeConn{"this node": here, "the other": there} {
			if _, frames := conn.take(); !strings.Contains(last(frames, "change"), `"value":1`) {
				t.Errorf("%s did not look", name)
			}
		}
	})
}

// The hooks: a gap is counted when something had been missed, and a delivery
// with the time it took.
func TestGapAndDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newSource("d_1")
		gaps := 0
		var took []time.Duration
		r := newTestRegistry(source, func(o *Options) {
			o.Gap = func() { gaps++ }
			o.Delivered = func(d time.Duration) { took = append(took, d) }
		})
		conn := &fakeConn{}
		s := open(t, r, "d_1", conn, nil)
		synctest.Wait()
		r.look("u")
		synctest.Wait()
		if gaps != 0 || len(took) != 0 {
			t.Errorf("%d gaps and %v before anything happened", gaps, took)
		}
		conn.stuck = make(chan struct{})
		r.MemberJoined("u", "d_1", "Phone")
		synctest.Wait() // the writer is in a write
		r.Publish("u", source.commit("salary", "1", "d_1"))
		time.Sleep(30 * time.Millisecond)
		r.Publish("u", source.commit("salary", "2", "d_1"))
		time.Sleep(20 * time.Millisecond)
		close(conn.stuck)
		synctest.Wait()
		if len(took) != 1 || took[0] != 50*time.Millisecond {
			t.Errorf("delivered after %v, want once after 50ms", took)
		}
		source.commit("salary", "3", "d_1")
		r.Publish("u", source.commit("salary", "4", "d_1"))
		synctest.Wait()
		if gaps != 1 || len(took) != 2 {
			t.Errorf("%d gaps, %d deliveries", gaps, len(took))
		}
		s.Detach()
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
