package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"social-server/internal/backing"
	"social-server/internal/hub"
	"social-server/internal/protocol"
	"social-server/internal/settings"
)

// shared is one Redis for the tests that do not break it; each has a prefix of
// its own. Tests that do break one start one.
var shared *backing.Redis

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "relay")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if shared, err = backing.StartRedis(context.Background(), dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := errors.Join(shared.Stop(), goleak.Find()); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// ownRedis starts a Redis that the test may break.
func ownRedis(t *testing.T, args ...string) *backing.Redis {
	t.Helper()
	server, err := backing.StartRedis(t.Context(), t.TempDir(), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Kill() })
	return server
}

// truth is the store of all nodes of a test (hub.Source): one user "u", whose
// members are all devices that ever connect, unless they are lost.
type truth struct {
	mu    sync.Mutex
	state settings.State
	names []string
	lost  map[string]hub.Standing
	reads int  // by hubs
	blind bool // the head check finds nothing
}

func newTruth(devices ...string) *truth {
	return &truth{state: settings.State{Epoch: "e1"}, names: devices, lost: make(map[string]hub.Standing)}
}

func (s *truth) Changed(_ context.Context, _ string, above uint64) (settings.Head, []settings.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	return settings.Head{Epoch: "e1", Revision: s.state.Revision}, append([]settings.Entry(nil), s.state.Since(above)...), nil
}

func (s *truth) HubMembers(context.Context, string) (members []hub.Member, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range s.names {
		if s.lost[name] == hub.Good || s.lost[name] == hub.SignedOut {
			members = append(members, hub.Member{ID: name, Name: "name of " + name})
		}
	}
	return members, nil
}

func (s *truth) Heads(_ context.Context, users []string) (string, map[string]uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.blind {
		return "", nil, errors.New("blind")
	}
	revisions := make(map[string]uint64)
	for _, user := range users {
		revisions[user] = s.state.Revision
	}
	return "e1", revisions, nil
}

func (s *truth) Standings(_ context.Context, seats []hub.Seat) ([]hub.Standing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	standings := make([]hub.Standing, len(seats))
	for i, seat := range seats {
		standings[i] = s.lost[seat.Device]
	}
	return standings, nil
}

// commit stores a value and returns the change to be published.
func (s *truth) commit(text string) settings.Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := settings.Change{Epoch: "e1", From: s.state.Revision, Revision: s.state.Revision + 1}
	c.Entries = []settings.Entry{{
		Key:   settings.Key{Block: "billing", Name: "salary"},
		Value: settings.Value{Text: text, Revision: c.Revision, Device: "d_1", At: time.Now().UTC()},
	}}
	s.state.Apply(c)
	return c
}

func (s *truth) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *truth) readsSoFar() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}

// tally counts events.
type tally struct {
	mu     sync.Mutex
	counts map[Counter]int
}

func (c *tally) add(e Counter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = make(map[Counter]int)
	}
	c.counts[e]++
}

func (c *tally) of(e Counter) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[e]
}

// node is hubs and their relay, as the program puts them together.
type node struct {
	*hub.Registry
	broker *Redis
	truth  *truth
	events *tally
	once   sync.Once
}

// start starts a node; what it needs to know is changed by the caller.
func start(t *testing.T, truth *truth, o Options) *node {
	t.Helper()
	n := &node{truth: truth, events: &tally{}}
	if o.URL == "" {
		o.URL = shared.URL()
	}
	if o.Prefix == "" {
		o.Prefix = t.Name() + ":"
	}
	if o.Keys == nil {
		o.Keys = [][]byte{secret}
	}
	o.Log, o.Count = slog.New(slog.DiscardHandler), n.events.add
	var err error
	if n.broker, err = OpenRedis(o); err != nil {
		t.Fatal(err)
	}
	n.Registry = hub.NewRegistry(truth, o.Log, time.Now, hub.Options{
		SessionsPerDevice: 8, PingEvery: time.Hour, PongWithin: time.Hour, AuthDueLead: time.Minute,
		Broker: n.broker,
	})
	n.broker.Start(n.Registry)
	t.Cleanup(func() { n.stop(t) })
	return n
}

var secret = []byte("a secret of all nodes, as they have")

// stop ends a node in order, once.
func (n *node) stop(t *testing.T) {
	n.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := errors.Join(n.Close(ctx), n.broker.Close()); err != nil {
			t.Error(err)
		}
	})
}

// put stores a value and publishes it on this node.
func (n *node) put(text string) { n.Publish("u", n.truth.commit(text)) }

// far is the far end of a session, which keeps what it was sent.

type far struct {
	session *hub.Session

	mu     sync.Mutex
	frames []string
	closed int
	done   chan struct{}
}

func (f *far) Write(frames []*protocol.Frame) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, frame := range frames {
		f.frames = append(f.frames, string(frame.Data))
	}
	return nil
}

func (f *far) Close(code int, _ string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = code
	close(f.done)
}

func (f *far) Hurry() {}

// connect opens a session that ends when it is closed, or with the test.
func (n *node) connect(t *testing.T, device string) *far {
	t.Helper()
	f := &far{done: make(chan struct{})}
	s, err := n.Attach(t.Context(), hub.Opening{
		User: "u", Username: "TestUser6", Account: "a_1", Login: "login", Conn: f,
		Device: protocol.Device{ID: device, Name: "name of " + device}, Expires: time.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	f.session = s
	left := make(chan struct{})
	go func() {
		<-f.done
		s.Detach()
		close(left)
	}()
	t.Cleanup(func() { // before the node stops
		s.End(protocol.CloseFault, "the test ends")
		<-left
	})
	return f
}

// leave ends a session and waits until it is gone.
func (f *far) leave() {
	f.session.End(protocol.CloseFault, "bye")
	<-f.done
}

func (f *far) has(text string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, frame := range f.frames {
		if strings.Contains(frame, text) {
			return true
		}
	}
	return false
}

// last returns the newest frame of a type that holds a text.
func (f *far) last(kind, text string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := len(f.frames) - 1; i >= 0; i-- {
		if strings.HasPrefix(f.frames[i], `{"type":"`+kind) && strings.Contains(f.frames[i], text) {
			return f.frames[i]
		}
	}
	return ""
}

func (f *far) end() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closed
}

// soon waits for a fact, for a time that the test promises.
func soon(t *testing.T, within time.Duration, what string, fact func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !fact() {
		if time.Since(began) > within {
			t.Fatalf("not within %v: %s", within, what)
		}
		time.Sleep(time.Millisecond)
	}
	return time.Since(began)
}

// ready waits until a node hears what is published of the user.
func (n *node) ready(t *testing.T) {
	t.Helper()
	channel := n.broker.userChannel("u")
	soon(t, 5*time.Second, "subscribed", func() bool {
		channels, err := n.broker.listener.PubSubNumSub(t.Context(), channel).Result()
		_, open := n.broker.subscription.since()
		return err == nil && open && channels[channel] > 0
	})
}
