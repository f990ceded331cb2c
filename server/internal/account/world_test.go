package account_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"social-server/internal/account"
	"social-server/internal/errs"
	"social-server/internal/protocol"
	"social-server/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cheap is a hash that costs a test next to nothing.
var cheap = account.HashCost{Memory: 64, Passes: 1, Threads: 1}

const password = "tide over marble"

// world is a service on a real database, with a clock that a test moves and
// live connections that it watches.
type world struct {
	*account.Service
	t     *testing.T
	db    *store.Store
	live  *fakeLive
	clock *clock

	between func() // comes in between the two runs of the next transaction
}

// newWorld returns a world; change may alter its configuration.
func newWorld(t *testing.T, change ...func(*account.Config)) *world {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &world{t: t, db: db, live: &fakeLive{}, clock: &clock{now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}}
	w.Service = w.open(change...)
	return w
}

// open returns one more service on the world's database.
func (w *world) open(change ...func(*account.Config)) *account.Service {
	w.t.Helper()
	c := account.Config{
		Store: twice{w.db, w}, Live: w.live, Secrets: [][]byte{[]byte("0123456789abcdef0123456789abcdef")},
		HashCost: cheap, Now: w.clock.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	for _, f := range change {
		f(&c)
	}
	s, err := account.New(c)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = s.Close() })
	return s
}

// twice is a store that runs every transaction once for nothing, as a database
// does in which another one came in between: no trace of the first run may show.
type twice struct {
	*store.Store
	world *world
}

// Atomically runs work twice; what the world wants to come in between does.
func (s twice) Atomically(ctx context.Context, work func(ctx context.Context) error) error {
	undone := errors.New("another transaction came in between")
	err := s.Store.Atomically(ctx, func(ctx context.Context) error {
		if err := work(ctx); err != nil {
			return err
		}
		return undone
	})
	if !errors.Is(err, undone) {
		return err
	}
	if between := s.world.between; between != nil {
		s.world.between = nil
		between()
	}
	return s.Store.Atomically(ctx, work)
}

// device registers a device of an e-mail address and logs it in.
func (w *world) device(name, email string) (account.Grant, account.Identity) {
	w.t.Helper()
	if _, err := w.Register(w.t.Context(), account.NewDevice{Name: name, Email: email, Password: password}); err != nil {
		w.t.Fatalf("Register(%s): %v", name, err)
	}
	return w.login(name)
}

// login logs a device in.
func (w *world) login(name string) (account.Grant, account.Identity) {
	w.t.Helper()
	grant, err := w.Login(w.t.Context(), name, password, "test")
	if err != nil {
		w.t.Fatalf("Login(%s): %v", name, err)
	}
	who, err := w.Authenticate(w.t.Context(), grant.AccessToken)
	if err != nil {
		w.t.Fatalf("Authenticate(%s): %v", name, err)
	}
	return grant, who
}

// connect makes a user.
func (w *world) connect(who account.Identity, username string) account.User {
	w.t.Helper()
	user, err := w.Connect(w.t.Context(), who, username)
	if err != nil {
		w.t.Fatalf("Connect(%s): %v", username, err)
	}
	return user
}

// wantCode fails the test unless err has a code; "" means no error.
func wantCode(t *testing.T, what string, err error, want errs.Code) {
	t.Helper()
	var got errs.Code
	if err != nil {
		got = errs.From(err).Code
	}
	if got != want {
		t.Errorf("%s = %v, want %q", what, err, want)
	}
}

// clock stands still until a test moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// fakeLive writes down what it is told. During a call it may look at the
// database: what it is told of must be there.
type fakeLive struct {
	mu       sync.Mutex
	told     []string
	notices  []string // those of accounts, apart
	look     func()   // called first, if there is one
	sessions map[string]map[string]int
}

func (l *fakeLive) tell(format string, args ...any) {
	if l.look != nil {
		l.look()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, fmt.Sprintf(format, args...))
}

// take returns what was told since the last take.
func (l *fakeLive) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	told := l.told
	l.told = nil
	return told
}

func (l *fakeLive) DeviceRevoked(device string, users []string) {
	l.tell("revoked %s %v", device, users)
}
func (l *fakeLive) DeviceRenamed(device, name string, users []string) {
	l.tell("renamed %s %s %v", device, name, users)
}
func (l *fakeLive) LoginEnded(login, device string) { l.tell("login ended %s %s", login, device) }
func (l *fakeLive) MemberJoined(user, device, name string) {
	l.tell("joined %s %s %s", user, device, name)
}
func (l *fakeLive) MemberLeft(user, device string) { l.tell("left %s %s", user, device) }
func (l *fakeLive) Asked(user string, device protocol.Device, ask protocol.Ask) {
	l.tell("asked %s %s %s", user, device.Name, ask.Email)
}
func (l *fakeLive) AskEnded(user string, device protocol.Device) {
	l.tell("ask ended %s %s", user, device.Name)
}
func (l *fakeLive) Noticed(account string, n protocol.Notice) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notices = append(l.notices, fmt.Sprintf("%s %s %s %s %s", account, n.Event, n.Device.Name, n.Address, n.Detail))
}
func (l *fakeLive) Online(_ context.Context, users ...string) []map[string]int {
	online := make([]map[string]int, len(users))
	for i, user := range users {
		online[i] = l.sessions[user]
	}
	return online
}
