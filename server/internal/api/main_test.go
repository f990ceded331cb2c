package api

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"social-server/internal/account"
	"social-server/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const password = "tide over marble"

// site is a server on a real database and a real port, with a clock that a test
// moves and a log that it reads.
type site struct {
	*Server
	t       *testing.T
	handler http.Handler
	url     string
	client  *http.Client
	log     *lockedBuffer

	mu  sync.Mutex
	now time.Time
}

// newSite returns a running site; change may alter the server before it runs.
func newSite(t *testing.T, change ...func(*Server)) *site {
	t.Helper()
	return newSiteOn(t, httptest.NewServer, change...)
}

func newSiteOn(t *testing.T, listen func(http.Handler) *httptest.Server, change ...func(*Server)) *site {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := &site{t: t, log: &lockedBuffer{}, now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	log := slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	accounts, err := account.New(account.Config{
		Store: db, Now: s.clock, Log: log, Secrets: [][]byte{[]byte("0123456789abcdef0123456789abcdef")},
		HashCost: account.HashCost{Memory: 64, Passes: 1, Threads: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = accounts.Close() })
	s.Server = &Server{Accounts: accounts, Log: log, Limits: Limits{Failures: 10, Tries: 1000, Now: s.clock}}
	for _, f := range change {
		f(s.Server)
	}
	if s.handler, err = s.Handler(); err != nil {
		t.Fatal(err)
	}
	server := listen(s.handler)
	t.Cleanup(server.Close)
	s.url, s.client = server.URL, server.Client()
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return s
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *site) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// reply is a response that was read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

// json reads a member of the body, by its path.
func (a reply) json(t *testing.T, path ...string) any {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(a.body), &value); err != nil {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	for _, name := range path {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	return value
}

// text is json of a string.
func (a reply) text(t *testing.T, path ...string) string {
	t.Helper()
	text, _ := a.json(t, path...).(string)
	return text
}

// want fails the test unless the answer has a status and, of a problem, a code.
func (a reply) want(t *testing.T, what string, status int, code string) {
	t.Helper()
	if a.status != status || code != "" && a.text(t, "code") != code {
		t.Errorf("%s: %d %s, want %d %s", what, a.status, a.body, status, code)
	}
}

// change alters a request before it is sent.
type change func(*http.Request)

func token(token string) change {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func header(name, value string) change {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// call sends a request; a body is JSON.
func (s *site) call(method, path, body string, changes ...change) reply {
	s.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, reader)
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, f := range changes {
		f(r)
	}
	response, err := s.client.Do(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, string(text)}
}

// register registers a device and fails the test if it cannot.
func (s *site) register(name, email string) reply {
	s.t.Helper()
	a := s.call("POST", "/api/v1/register", object("deviceName", name, "email", email, "password", password))
	a.want(s.t, "register "+name, http.StatusCreated, "")
	return a
}

// device registers a device and returns its access token.
func (s *site) device(name, email string) string {
	s.t.Helper()
	s.register(name, email)
	a := s.call("POST", "/api/v1/login", object("deviceName", name, "password", password))
	a.want(s.t, "login "+name, http.StatusOK, "")
	return a.text(s.t, "accessToken")
}

// object encodes names and values that follow one another.
func object(pairs ...string) string {
	members := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		members[pairs[i]] = pairs[i+1]
	}
	text, _ := json.Marshal(members)
	return string(text)
}

// lockedBuffer is a log that handlers write and a test reads.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// records returns the lines of the log that have a message.
func (b *lockedBuffer) records(t *testing.T, message string) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(b.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		if record["msg"] == message {
			all = append(all, record)
		}
	}
	return all
}
