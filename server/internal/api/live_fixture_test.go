package api_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gorilla/websocket"

	"social-server/internal/account"
	"social-server/internal/api"
	"social-server/internal/deep"
	"social-server/internal/errs"
	"social-server/internal/hub"
	"social-server/internal/protocol"
	"social-server/internal/settings"
	"social-server/internal/store"
)

// lockedLog collects what the server logs.
type lockedLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// world is a whole server over a real socket and a real database, with the
// account anna@example.org and the devices she registers.
type world struct {
	t        *testing.T
	server   *httptest.Server
	store    *store.Store
	settings *settings.Service
	hubs     *hub.Registry
	accounts *account.Service
	log      *lockedLog
	path     string
}

// shaped lets a test change the numbers before the server starts.
type shape struct {
	wire    api.Wire
	account account.Config
	hub     hub.Options
	limits  api.Limits
	schema  *settings.Schema
	server  func(*api.Server) // the last change before it starts; may be nil
	read    time.Duration     // for a whole request; 0: without end
	state   func(net.Conn, http.ConnState)
}

func newWorld(t *testing.T, change ...func(*shape)) *world {
	t.Helper()
	w := &world{t: t, log: &lockedLog{}, path: filepath.Join(t.TempDir(), "data", "s.db")}
	sh := &shape{
		schema: settings.DemoSchema(),
		limits: api.Limits{Failures: 1000, Tries: 1000},
		wire: api.Wire{
			HelloWithin: 5 * time.Second, WriteWithin: 5 * time.Second, FrameExcess: 300,
			Limits: protocol.Limits{FrameBytes: 32 << 10, ValueBytes: 8 << 10, FramesPerSecond: 30, FrameBurst: 60, PingSeconds: 25},
		},
		account: account.Config{Secrets: [][]byte{bytes.Repeat([]byte("k"), 32)}, HashCost: account.HashCost{Memory: 64, Passes: 1, Threads: 1}},
		hub:     hub.Options{SessionsPerDevice: 8, PingEvery: 25 * time.Second, PongWithin: 10 * time.Second, AuthDueLead: 2 * time.Minute},
	}
	for _, f := range change {
		f(sh)
	}
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{ReplaceAttr: errs.ClipAttr}))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	w.store, err = store.Open(t.Context(), w.path)
	must(err)
	w.hubs = hub.NewRegistry(w.store, log, time.Now, sh.hub)
	w.settings = settings.NewService(w.store, sh.schema, settings.DefaultLimits, w.hubs, time.Now)
	sh.account.Store, sh.account.Live, sh.account.Log = w.store, w.hubs, log
	w.accounts, err = account.New(sh.account)
	must(err)
	srv := &api.Server{
		Accounts: w.accounts, Settings: w.settings, Hubs: w.hubs, Wire: sh.wire, Log: log,
		Limits: sh.limits, Deep: deep.Start(2),
	}
	t.Cleanup(srv.Deep.Close)
	if sh.server != nil {
		sh.server(srv)
	}
	handler, err := srv.Handler()
	must(err)
	w.server = httptest.NewUnstartedServer(handler)
	w.server.Listener = srv.Listener(w.server.Listener, nil)
	w.server.Config.ConnContext, w.server.Config.ReadTimeout, w.server.Config.ConnState = srv.ConnContext, sh.read, sh.state
	w.server.Start()
	t.Cleanup(w.close)
	return w
}

func (w *world) close() {
	w.settings.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := w.hubs.Close(ctx); err != nil {
		w.t.Errorf("sessions did not end: %v", err)
	}
	w.server.Close()
	if err := w.accounts.Close(); err != nil {
		w.t.Error(err)
	}
	if err := w.store.Close(); err != nil {
		w.t.Error(err)
	}
}

// device registers a device of an account and logs it in.
func (w *world) device(name, email string) *client {
	w.t.Helper()
	c := &client{w: w, name: name}
	c.call("POST", "/register", fmt.Sprintf(`{"deviceName":%q,"email":%q,"password":"correct horse"}`, name, email), 201)
	var grant struct {
		AccessToken string
		Device      struct{ ID string }
	}
	body := c.call("POST", "/login", fmt.Sprintf(`{"deviceName":%q,"password":"correct horse"}`, name), 200)
	if err := json.Unmarshal([]byte(body), &grant, json.MatchCaseInsensitiveNames(true)); err != nil {
		w.t.Fatal(err)
	}
	c.token, c.id = grant.AccessToken, grant.Device.ID
	return c
}

// pair is two devices of one account that share the user TestUser6.
func (w *world) pair() (one, two *client) {
	w.t.Helper()
	one, two = w.device("Chrome.test6", "anna@example.org"), w.device("Firefox.test6", "anna@example.org")
	one.call("POST", "/users", `{"username":"TestUser6"}`, 201)
	two.call("POST", "/users/TestUser6/join", "", 200)
	return one, two
}

// client is one device: its REST calls and its sockets.
type client struct {
	w               *world
	name, id, token string
}

// call makes a REST call, and fails the test on another status.
func (c *client) call(method, path, body string, status int, headers ...string) string {
	c.w.t.Helper()
	got, text, _ := c.try(method, path, body, headers...)
	if got != status {
		c.w.t.Fatalf("%s %s: %d %s, want %d", method, path, got, text, status)
	}
	return text
}

func (c *client) try(method, path, body string, headers ...string) (status int, text string, h http.Header) {
	c.w.t.Helper()
	r, err := http.NewRequestWithContext(c.w.t.Context(), method, c.w.server.URL+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		c.w.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := c.w.server.Client().Do(r)
	if err != nil {
		c.w.t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		c.w.t.Fatal(err)
	}
	return answer.StatusCode, string(data), answer.Header
}

// revoke locks another device of the account out.
func (c *client) revoke(other *client) {
	c.w.t.Helper()
	c.call("DELETE", "/devices/"+other.id, `{"password":"correct horse"}`, 204)
}

// asked is what a device is told when it asks to join.
type asked struct {
	ID, Username, Status, Code string
	ExpiresIn                  int
}

// ask asks to join a user of another account.
func (c *client) ask(username string) (a asked) {
	c.w.t.Helper()
	body := c.call("POST", "/users/"+username+"/join", "", 202)
	if err := json.Unmarshal([]byte(body), &a, json.MatchCaseInsensitiveNames(true)); err != nil {
		c.w.t.Fatal(err)
	}
	return a
}

// invite returns a code that lets a device join.
func (c *client) invite(username string) string {
	c.w.t.Helper()
	var invitation struct{ Code string }
	body := c.call("POST", "/users/"+username+"/invitations", "", 201)
	if err := json.Unmarshal([]byte(body), &invitation, json.MatchCaseInsensitiveNames(true)); err != nil {
		c.w.t.Fatal(err)
	}
	return invitation.Code
}

// socket is one WebSocket of a device.
type socket struct {
	t  *testing.T
	ws *websocket.Conn
}

func (c *client) url(user string) string {
	return "ws" + strings.TrimPrefix(c.w.server.URL, "http") + "/api/v1/users/" + user + "/ws"
}

// dial upgrades without a token: hello must carry it.
func (c *client) dial(headers ...string) *socket {
	c.w.t.Helper()
	h := http.Header{"Sec-Websocket-Protocol": {protocol.Subprotocol}}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	ws, _, err := websocket.DefaultDialer.DialContext(c.w.t.Context(), c.url("TestUser6"), h)
	if err != nil {
		c.w.t.Fatal(err)
	}
	s := &socket{c.w.t, ws}
	c.w.t.Cleanup(func() { ws.Close() })
	return s
}

// dialTo upgrades for a user of any name.
func (c *client) dialTo(user string) *websocket.Conn {
	c.w.t.Helper()
	ws, _, err := websocket.DefaultDialer.DialContext(c.w.t.Context(), c.url(user), nil)
	if err != nil {
		c.w.t.Fatal(err)
	}
	c.w.t.Cleanup(func() { ws.Close() })
	return ws
}

// join dials and says hello, and reads the opening up to ready.
func (c *client) join(resume string) *socket {
	c.w.t.Helper()
	s := c.dial()
	s.send(fmt.Sprintf(`{"type":"hello","token":%q%s}`, c.token, resume))
	s.until("ready")
	return s
}

func (s *socket) send(text string) {
	s.t.Helper()
	if err := s.ws.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		s.t.Fatal(err)
	}
}

// until reads frames until one of a type, which it returns.
func (s *socket) until(kind string) string {
	s.t.Helper()
	for {
		text, err := s.read()
		if err != nil {
			s.t.Fatalf("waiting for %s: %v", kind, err)
		}
		if strings.HasPrefix(text, `{"type":"`+kind+`"`) {
			return text
		}
	}
}

func (s *socket) read() (string, error) {
	if err := s.ws.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return "", err
	}
	_, text, err := s.ws.ReadMessage()
	return string(text), err
}

// end reads until the server has closed, and returns its code and reason.
func (s *socket) end() string {
	s.t.Helper()
	for {
		_, err := s.read()
		if err == nil {
			continue
		}
		if e, ok := err.(*websocket.CloseError); ok {
			return fmt.Sprint(e.Code, " ", e.Text)
		}
		return err.Error()
	}
}
