package faults

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// The regression list (3.5): defects seen in public servers of this shape. Each
// has its name here, so that none of them can come back unnoticed.

// unchanged fails the test unless the user is still at a revision, and the
// server still serves.
func (r *rig) unchanged(revision uint64) {
	r.Helper()
	read, ok := r.read(0)
	if !ok || read.Head != revision {
		r.Errorf("the user is at %d, want %d (answered: %v)", read.Head, revision, ok)
	}
}

// status sends a request and returns the answer's status and code.
func (r *rig) status(q Request) (status int, code string) {
	r.Helper()
	status, body, err := Do(r.Context(), r.Addr(), q)
	r.ok(err)
	var problem struct{ Code string }
	_ = json.Unmarshal(body, &problem)
	return status, problem.Code
}

// closeCode dials, sends frames, and returns the code the server closes with;
// for a refused upgrade its HTTP status.
func (r *rig) closeCode(path string, header http.Header, frames ...string) int {
	r.Helper()
	ws, answer, err := websocket.DefaultDialer.DialContext(r.Context(), "ws://"+r.Addr()+"/api/v1"+path, header)
	if err != nil && answer != nil {
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	r.ok(err)
	_ = answer.Body.Close()
	defer ws.Close()
	for _, f := range frames {
		r.ok(ws.WriteMessage(websocket.TextMessage, []byte(f)))
	}
	r.ok(ws.SetReadDeadline(time.Now().Add(patient)))
	for {
		_, _, err := ws.ReadMessage()
		var closed *websocket.CloseError
		if errors.As(err, &closed) {
			return closed.Code
		}
		r.ok(err)
	}
}

func (r *rig) hello(device int) string {
	return fmt.Sprintf(`{"type":"hello","token":%q}`, r.Devices[device].Token)
}

const socket = "/users/" + user + "/ws"

// R1: a join carries default values and overwrites everyone's settings.
func TestR01JoiningWritesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.client(0)
	r.live(c)
	r.put(c, key(1), `"chosen"`)
	for n := 1; n < 4; n++ {
		r.ok(want(t.Context(), r.Addr(), http.StatusNoContent,
			Request{Method: "DELETE", Path: "/users/" + user + "/join", Token: r.Devices[n].Token}, nil))
		r.ok(r.Devices[n].Join(t.Context(), r.Addr(), user))
		r.live(r.client(n))
	}
	r.unchanged(1)
	if rows := r.judge(); len(rows.Changes) != 1 || rows.Settings[key(1)].Text != `"chosen"` {
		t.Errorf("history %+v", rows.Changes)
	}
}

// R2: JSON that does not decode is taken for zero values and broadcast.
func TestR02BadJSONChangesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.client(1)
	r.live(c)
	r.put(c, key(1), `"chosen"`)
	for _, bad := range []string{
		`{"type":"patch","id":"x","set":{"set":{"k001":`, `{}`, `[]`, `null`, `{"type":"patch"}`, `{"type":"patch","id":"x","sets":{}}`,
	} {
		if code := r.closeCode(socket, nil, r.hello(0), bad); code != 4500 {
			t.Errorf("%s: closed with %d", bad, code)
		}
		status, _ := r.status(Request{Method: "PATCH", Path: "/users/" + user + "/settings", Token: r.Devices[0].Token, Body: bad})
		refused := status >= 400 && status < 500
		if nothing := bad == `{}`; refused == nothing { // as a merge patch it sets nothing, and is no mistake
			t.Errorf("PATCH %s: %d", bad, status)
		}
	}
	r.unchanged(1)
	r.judge()
}

// R3: who a socket belongs to is taken from its address.
func TestR03IdentityIsTheToken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, code := range map[string]int{
		"no token":            r.closeCode(socket, nil, `{"type":"hello"}`),
		"token in the query":  r.closeCode(socket+"?token="+r.Devices[0].Token, nil, `{"type":"hello"}`),
		"device in the query": r.closeCode(socket+"?device="+r.Devices[0].ID, nil, `{"type":"hello"}`),
	} {
		if code != 4501 {
			t.Errorf("%s: closed with %d", name, code)
		}
	}
	if code := r.closeCode("/users/Somebody/ws", nil, r.hello(0)); code != 4506 {
		t.Errorf("another user: closed with %d", code)
	}
}

// R4: one device that does not read stalls every other.
func TestR04StalledDeviceDelaysNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	proxy := r.proxy()
	stalled, a, b := r.client(0, r.through(proxy)), r.client(1), r.client(2)
	r.live(stalled, a, b)
	proxy.Freeze()
	for i := range 200 {
		r.put(a, key(i%10), `"`+strings.Repeat("x", 3000)+`"`)
	}
	r.converged(time.Second, a, b)
	proxy.Thaw()
	r.converged(5*time.Second, stalled, a, b)
	r.judge()
}

// R5: many leave at once and the hub locks itself up.
func TestR05MassDisconnect(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var all []*Client
	for n := range 60 {
		all = append(all, r.client(n))
	}
	r.live(all...)
	for _, c := range all {
		c.SetOffline(true)
	}
	r.empty()
	all[0].SetOffline(false)
	r.live(all[0])
	r.put(all[0], key(1), `"alive"`)
	r.judge()
}

// R6: the database is written once per recipient.
func TestR06OneWriteForAllRecipients(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var all []*Client
	for n := range 30 {
		all = append(all, r.client(n))
	}
	r.live(all...)
	r.put(all[0], key(1), `"once"`)
	r.converged(2*time.Second, all...)
	if rows := r.judge(); len(rows.Changes) != 1 || len(rows.Answers) != 1 {
		t.Errorf("%d changes and %d answers stored", len(rows.Changes), len(rows.Answers))
	}
}

// R7: a request for a user that does not exist ends the server.
func TestR07UnknownUserEndsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, path := range []string{"/users/nobody/settings", "/users/nobody/ws", "/users/nobody/devices", "/users/%00/settings"} {
		if status, _ := r.status(Request{Method: "GET", Path: path}); status != http.StatusUnauthorized && status != http.StatusBadRequest {
			t.Errorf("%s without a token: %d", path, status)
		}
		if status, _ := r.status(Request{Method: "GET", Path: path, Token: r.Devices[0].Token}); status != http.StatusNotFound && status != http.StatusBadRequest {
			t.Errorf("%s: %d", path, status)
		}
	}
	r.unchanged(0)
}

// R8: no limit on what is read, no deadline, no ping.
func TestR08LimitsAndDeadlines(t *testing.T) {
	t.Parallel()
	r := newRig(t, "HELLO_TIMEOUT=200ms", "PING_INTERVAL=200ms", "PONG_TIMEOUT=300ms")
	long := fmt.Sprintf(`{"type":"preview","set":{"set":{"k001":%q}}}`, strings.Repeat("x", 40<<10))
	for name, got := range map[string][2]int{
		"a frame over 32 KiB":    {r.closeCode(socket, nil, r.hello(0), long), 1009},
		"a hello over 4 KiB":     {r.closeCode(socket, nil, `{"type":"hello","token":"`+strings.Repeat("x", 5<<10)+`"}`), 1009},
		"no hello":               {r.closeCode(socket, nil), 4501},
		"no pong":                {r.closeCode(socket, nil, r.hello(0)), 4003},
		"something before hello": {r.closeCode(socket, nil, `{"type":"pong","seen":0}`), 4500},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: closed with %d, want %d", name, got[0], got[1])
		}
	}
}

// R9: leaving a user one never joined ends in a panic.
func TestR09LeavingTwice(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	leave := Request{Method: "DELETE", Path: "/users/" + user + "/join", Token: r.Devices[1].Token}
	first, _ := r.status(leave)
	second, _ := r.status(leave)
	leave.Path = "/users/nobody/join"
	unknown, _ := r.status(leave)
	if first != http.StatusNoContent || second >= 500 || unknown != http.StatusNotFound {
		t.Errorf("left: %d, again %d, a user that does not exist %d", first, second, unknown)
	}
	r.unchanged(0)
}

// R10: failures are answered with 200 and a code in the body.
func TestR10StatusIsTheStatus(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, tt := range []struct {
		Request
		status int
		code   string
	}{
		{Request{Method: "POST", Path: "/login", Body: `{"deviceName":"Device.0","password":"wrong password"}`}, 401, "unauthorized"},
		{Request{Method: "GET", Path: "/users"}, 401, "unauthorized"},
		{Request{Method: "GET", Path: "/users", Token: "x.y.z"}, 401, "unauthorized"},
		{Request{Method: "GET", Path: "/nothing"}, 404, "not-found"},
		{Request{Method: "POST", Path: "/users", Token: r.Devices[0].Token, Body: `{"username":""}`}, 422, "invalid"},
	} {
		if status, code := r.status(tt.Request); status != tt.status || code != tt.code {
			t.Errorf("%s %s: %d %s, want %d %s", tt.Method, tt.Path, status, code, tt.status, tt.code)
		}
	}
}

// R11: tokens live for a month and cannot be revoked.
func TestR11TokensAreShortAndRevocable(t *testing.T) {
	t.Parallel()
	r := newRig(t, "ACCESS_TOKEN_TTL=15m")
	d := r.Devices[3]
	var grant struct {
		AccessToken string
		ExpiresIn   int
	}
	r.ok(want(t.Context(), r.Addr(), http.StatusOK, Request{Method: "POST", Path: "/login",
		Body: fmt.Sprintf(`{"deviceName":%q,"password":%q}`, d.Name, Password)}, &grant))
	if grant.ExpiresIn <= 0 || grant.ExpiresIn > 900 {
		t.Errorf("a token lives %d s", grant.ExpiresIn)
	}
	r.ok(want(t.Context(), r.Addr(), http.StatusNoContent, Request{Method: "POST", Path: "/logout", Token: grant.AccessToken}, nil))
	if status, _ := r.status(Request{Method: "GET", Path: "/users", Token: grant.AccessToken}); status != http.StatusUnauthorized {
		t.Errorf("after the log-out the token answers %d", status)
	}
}

// R12: the configuration is read again on every request; any page may call.
func TestR12ConfigurationAndOrigins(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.ok(os.WriteFile(filepath.Join(r.Dir, ".env"), []byte("ALLOWED_ORIGINS=https://evil.example\nJWT_SECRET=x\n"), 0o600))
	r.unchanged(0) // a bad file is not even noticed until the next start
	evil := http.Header{"Origin": {"https://evil.example"}}
	if code := r.closeCode(socket, evil, r.hello(0)); code != http.StatusForbidden {
		t.Errorf("a socket of another origin: %d", code)
	}
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.Addr()+"/api/v1/schema", nil)
	r.ok(err)
	q.Header = evil
	answer, err := web.Do(q)
	r.ok(err)
	_ = answer.Body.Close()
	if allowed := answer.Header.Get("Access-Control-Allow-Origin"); allowed != "" {
		t.Errorf("another origin is allowed: %q", allowed)
	}
}

// R13: a mistyped name leaves the signing key empty, and tokens are signed with it.
func TestR13NoServerWithoutAKey(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"short", strings.Repeat("x", 31)} {
		r := newStoppedRig(t, "JWT_SECRET="+secret)
		if err := r.Start(t.Context()); err == nil || !strings.Contains(r.Log.String(), "JWT_SECRET") {
			t.Errorf("with a key of %d bytes it started (%v): %s", len(secret), err == nil, r.Log)
		}
		if strings.Contains(r.Log.String(), secret) {
			t.Error("the key is in the log")
		}
	}
	r := newRig(t, "JWT_SECRET=")
	const empty = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJkXzEiLCJleHAiOjQxMDI0NDQ4MDB9." + // signed with the empty key
		"IF8BPaMJl1gYva8FHTZDjQhrR22Z3qRLcJfao-BfKv8"
	const none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJkXzEiLCJleHAiOjQxMDI0NDQ4MDB9."
	for _, token := range []string{empty, none} {
		if status, _ := r.status(Request{Method: "GET", Path: "/users", Token: token}); status != http.StatusUnauthorized {
			t.Errorf("a forged token answers %d", status)
		}
	}
}
