package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"social-server/internal/protocol"
)

// broker is a broker in memory between the registries of a test. By seed it
// loses, doubles and delays messages, and so puts them out of order.
type broker struct {
	mu         sync.Mutex
	random     *rand.Rand
	lose       float64 // of the messages; some of the rest come twice
	delay      time.Duration
	registries map[string]*Registry
	kept       map[string][]Connected // by node
	down       bool
	told       []Message
}

func newBroker(seed uint64, lose float64, delay time.Duration) *broker {
	return &broker{
		random: rand.New(rand.NewPCG(seed, 5)), lose: lose, delay: delay,
		registries: make(map[string]*Registry), kept: make(map[string][]Connected),
	}
}

// node starts a registry at the broker.
func (b *broker) node(source Source, name string, change ...func(*Options)) *Registry {
	r := newTestRegistry(source, append(change, func(o *Options) { o.Broker = link{b, name} })...)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.registries[name] = r
	return r
}

// link is one node's end of the broker (Broker).
type link struct {
	*broker
	name string
}

func (l link) Publish(m Message) {
	m.Node = l.name
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, m)
	for name, r := range l.registries {
		if name == l.name || l.down {
			continue
		}
		for copies := 1 + l.random.IntN(10)/9; copies > 0; copies-- {
			if l.random.Float64() >= l.lose {
				time.AfterFunc(time.Duration(l.random.Int64N(int64(l.delay)+1)), func() { r.Receive(m) })
			}
		}
	}
}

// PresenceChanged announces a little later, as it is then.
func (l link) PresenceChanged(user string) {
	time.AfterFunc(10*time.Millisecond, func() {
		l.mu.Lock()
		r := l.registries[l.name]
		l.mu.Unlock()
		connected, _ := r.LocalPresence(user)
		l.mu.Lock()
		l.kept[l.name] = connected
		l.mu.Unlock()
		l.Publish(Message{Kind: PresenceMessage, User: user, Connected: connected})
	})
}

func (l link) RemotePresence(_ context.Context, users ...string) ([]map[string][]Connected, error) {
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
	all := make([]map[string][]Connected, len(users))
	for i := range users {
		all[i] = others // of the one user of these tests
	}
	return all, nil
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
		time.Sleep(time.Second) // messages on their way arrive
	})
}

// replica is a device that checks what it is sent, as any client may (Conn).
type replica struct {
	fakeConn
	revision uint64
	value    string
	faults   []string
}

// WriteNow is Write: both are looked at.
func (c *replica) WriteNow(frames []*protocol.Frame) (bool, error) { return true, c.Write(frames) }

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
