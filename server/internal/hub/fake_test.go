package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"social-server/internal/protocol"
	"social-server/internal/settings"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeConn is the far end of a session in memory. While stuck is set, Write
// waits, as on a socket whose peer does not read, and WriteNow takes nothing.
type fakeConn struct {
	mu     sync.Mutex
	frames []*protocol.Frame
	left   []*protocol.Frame // that WriteNow could not hand over
	writes int
	quick  int // of them by WriteNow
	closed string
	stuck  chan struct{}
}

func (c *fakeConn) Write(frames []*protocol.Frame) error {
	if c.stuck != nil {
		<-c.stuck
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.takeLocked(frames)
}

func (c *fakeConn) WriteNow(frames []*protocol.Frame) (all bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.left) > 0 {
		return false, errors.New("the rest was to be written first")
	}
	if c.stuck != nil {
		c.left = append(c.left, frames...)
		return false, nil
	}
	c.quick++
	return true, c.takeLocked(frames)
}

func (c *fakeConn) takeLocked(frames []*protocol.Frame) error {
	if c.closed != "" {
		return errors.New("closed")
	}
	c.frames = append(append(c.frames, c.left...), frames...)
	c.left = nil
	c.writes++
	return nil
}

func (c *fakeConn) Close(code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed == "" {
		c.closed = fmt.Sprint(code, " ", reason)
	}
}

func (c *fakeConn) Hurry() {}

// take returns the types of the frames since the last take, and the frames.
func (c *fakeConn) take() (types string, frames []*protocol.Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	frames, c.frames = c.frames, nil
	var names []string
	for _, f := range frames {
		names = append(names, f.Type)
	}
	return strings.Join(names, " "), frames
}

func (c *fakeConn) end() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// fakeSource is a store in memory.
type fakeSource struct {
	mu      sync.Mutex
	epoch   string
	state   settings.State
	members []Member
	lost    map[string]Standing // of devices that are more than no members
	err     error
	reads   int
	asked   int // Heads and Standings
}

func newSource(devices ...string) *fakeSource {
	s := &fakeSource{epoch: "k3f9"}
	for _, d := range devices {
		s.members = append(s.members, Member{ID: d, Name: "name of " + d})
	}
	return s
}

func (s *fakeSource) Changed(_ context.Context, _ string, above uint64) (settings.Head, []settings.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	return settings.Head{Epoch: s.epoch, Revision: s.state.Revision}, append([]settings.Entry(nil), s.state.Since(above)...), s.err
}

func (s *fakeSource) HubMembers(context.Context, string) ([]Member, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Member(nil), s.members...), s.err
}

func (s *fakeSource) Heads(_ context.Context, users []string) (string, map[string]uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	revisions := make(map[string]uint64)
	for _, user := range users {
		revisions[user] = s.state.Revision
	}
	return s.epoch, revisions, s.err
}

func (s *fakeSource) Standings(_ context.Context, seats []Seat) ([]Standing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	standings := make([]Standing, len(seats))
	for i, seat := range seats {
		if !slices.ContainsFunc(s.members, func(m Member) bool { return m.ID == seat.Device }) {
			standings[i] = NotMember
		}
		standings[i] = max(standings[i], s.lost[seat.Device])
	}
	return standings, s.err
}

// commit stores a value and returns the change that a commit would publish.
func (s *fakeSource) commit(name, text, device string) settings.Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := settings.Change{Epoch: s.epoch, From: s.state.Revision, Revision: s.state.Revision + 1}
	c.Entries = []settings.Entry{{
		Key:   settings.Key{Block: "billing", Name: name},
		Value: settings.Value{Text: text, Revision: c.Revision, Device: device, At: time.Now()},
	}}
	s.state.Apply(c)
	return c
}

func (s *fakeSource) readsSoFar() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}

func (s *fakeSource) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func newTestRegistry(s Source, change ...func(*Options)) *Registry {
	o := Options{
		SessionsPerDevice: 8, PingEvery: 25 * time.Second, PongWithin: 10 * time.Second, AuthDueLead: 2 * time.Minute,
	}
	for _, f := range change {
		f(&o)
	}
	return NewRegistry(s, slog.New(slog.DiscardHandler), time.Now, o)
}

// ack takes a patch in and answers it, as the api does, unless the session refuses it.
func ack(s *Session, revision uint64) {
	if s.Begin() == nil {
		answer(s, revision)
	}
}

// answer ends a patch that was begun.
func answer(s *Session, revision uint64) {
	s.Answer(protocol.Ack("p", settings.Answer{Revision: revision}, false), revision)
}

// open attaches a device to user "u".
func open(t *testing.T, r *Registry, device string, conn Conn, resume *settings.Version) *Session {
	t.Helper()
	s, err := r.Attach(t.Context(), opening(device, conn, resume))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func opening(device string, conn Conn, resume *settings.Version) Opening {
	return Opening{
		User: "u", Username: "TestUser6", Login: "login of " + device, Device: protocol.Device{ID: device, Name: device},
		Expires: time.Now().Add(24 * time.Hour), Resume: resume, Conn: conn,
	}
}

func last(frames []*protocol.Frame, kind string) string {
	for i := len(frames) - 1; i >= 0; i-- {
		if frames[i].Type == kind {
			return string(frames[i].Data)
		}
	}
	return ""
}
