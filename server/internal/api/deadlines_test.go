package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// rawHTTP is a connection of which a test writes every byte itself.
type rawHTTP struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func (w *world) raw(t *testing.T) *rawHTTP {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &rawHTTP{t, conn, bufio.NewReader(conn)}
}

// ask writes a head and the bytes after it, and reads the response.
func (c *rawHTTP) ask(method, path, after string, lines ...string) (status int, body string, h http.Header) {
	c.t.Helper()
	c.write(method, path, after, lines...)
	return c.answer(method)
}

func (c *rawHTTP) write(method, path, after string, lines ...string) {
	c.t.Helper()
	head := append([]string{method + " " + path + " HTTP/1.1", "Host: localhost"}, lines...)
	if _, err := io.WriteString(c.conn, strings.Join(head, "\r\n")+"\r\n\r\n"+after); err != nil {
		c.t.Fatal(err)
	}
}

func (c *rawHTTP) answer(method string) (status int, body string, h http.Header) {
	c.t.Helper()
	answer, err := http.ReadResponse(c.in, &http.Request{Method: method})
	if err != nil {
		c.t.Fatalf("no answer: %v", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer.StatusCode, string(text), answer.Header
}

// closed fails the test unless the server has closed, with nothing said before.
func (c *rawHTTP) closed() {
	c.t.Helper()
	if more, err := io.ReadAll(c.in); len(more) > 0 || isTimeout(err) {
		c.t.Errorf("the connection goes on: %q, %v", more, err)
	}
}

func isTimeout(err error) bool {
	network, ok := err.(net.Error)
	return ok && network.Timeout()
}

// head returns the version of TestUser6 as the address wants it.
func (c *client) head() string {
	c.w.t.Helper()
	var head struct {
		Epoch    string `json:"epoch"`
		Revision uint64 `json:"revision"`
	}
	if err := json.Unmarshal([]byte(c.call("GET", "/users/TestUser6/settings", "", 200)), &head); err != nil {
		c.w.t.Fatal(err)
	}
	return fmt.Sprintf("%s.%d", head.Epoch, head.Revision)
}

// Fault E1: a request announces a body and does not send it, on a route that waits.
// [SPEC W1] It is answered 408 within the read timeout, opens no session, and the
// connection ends. A body that does come is refused where none belongs.
func TestBodiesThatDoNotCome(t *testing.T) {
	w := newWorld(t, func(s *shape) { s.read = 300 * time.Millisecond })
	one, two := w.pair()
	stranger := w.device("Stranger", "eve@example.org")
	ask := stranger.ask("TestUser6")
	root := "/api/v1/users/TestUser6"
	for name, route := range map[string]struct {
		path string
		of   *client
	}{
		"long-poll": {root + "/settings?wait=60&since=" + one.head(), two}, "stream": {root + "/events", two}, "socket": {root + "/ws", two},
		"ask": {"/api/v1/asks/" + ask.ID + "?wait=60", stranger}, "settings": {root + "/settings", two}, "health": {"/healthz", two},
	} {
		for announced, line := range map[string]string{"a length": "Content-Length: 10", "chunks": "Transfer-Encoding: chunked"} {
			for _, method := range []string{"GET", "HEAD"} {
				t.Run(name+", "+announced+", "+method, func(t *testing.T) {
					t.Parallel()
					c := w.raw(t)
					status, body, _ := c.ask(method, route.path, "", bearer(route.of.token), line)
					if status != 408 || method == "GET" && !strings.Contains(body, `"code":"timeout"`) {
						t.Errorf("%d %s", status, body)
					}
					c.closed()
				})
			}
		}
		t.Run(name+", a body that comes", func(t *testing.T) {
			t.Parallel()
			c := w.raw(t)
			if status, body, _ := c.ask("GET", route.path, "{}", bearer(route.of.token), "Content-Length: 2"); status != 413 {
				t.Errorf("%d %s", status, body)
			}
			c.closed()
		})
	}
	t.Run("no session", func(t *testing.T) {
		if sessions, _ := w.hubs.Sessions(); sessions != 0 {
			t.Errorf("%d sessions", sessions)
		}
	})
}

// Fault C10: a body is slower than the read timeout.
// [SPEC W1] [SPEC E6] Every route that reads one answers 408 and closes.
func TestSlowBodies(t *testing.T) {
	w := newWorld(t, func(s *shape) { s.read = 300 * time.Millisecond })
	one, _ := w.pair()
	root := "/users/TestUser6"
	for _, door := range []struct{ method, path, kind string }{
		{"POST", "/register", ""}, {"POST", "/login", ""}, {"POST", "/refresh", ""}, {"POST", "/logout", ""},
		{"POST", "/password", ""}, {"POST", "/reset", ""}, {"DELETE", "/account", ""},
		{"PATCH", "/devices/me", ""}, {"DELETE", "/devices/me", ""}, {"POST", "/devices/revoke-others", ""},
		{"POST", "/users", ""}, {"POST", "/invitations/accept", ""},
		{"POST", root + "/asks/q_x/approve", ""}, {"POST", root + "/asks/q_x/deny", ""},
		{"PATCH", root + "/settings", ""}, {"PATCH", root + "/settings", "application/merge-patch+json"},
		{"PATCH", root + "/settings", "application/vnd.settings-sync.patch+json"},
		{"POST", root + "/undo", ""}, {"POST", root + "/restore", ""}, {"POST", root + "/import", ""},
	} {
		t.Run(door.method+" "+door.path+" "+door.kind, func(t *testing.T) {
			t.Parallel()
			kind := "Content-Type: application/json"
			if door.kind != "" {
				kind = "Content-Type: " + door.kind
			}
			c := w.raw(t)
			status, body, _ := c.ask(door.method, "/api/v1"+door.path, `{"pass`, bearer(one.token), kind, "Content-Length: 100")
			if status != 408 || !strings.Contains(body, `"code":"timeout"`) {
				t.Errorf("%d %s", status, body)
			}
			c.closed()
		})
	}
}

// Fault B10: log-out with an empty body that is sent in chunks.
// [SPEC W1] An empty body is none, wherever one is optional.
func TestEmptyBodies(t *testing.T) {
	w := newWorld(t)
	one, _ := w.pair()
	ask := func(c *client, method, path string) (status int, body string) {
		status, body, _ = w.raw(t).ask(method, "/api/v1"+path, "0\r\n\r\n", bearer(c.token), "Transfer-Encoding: chunked")
		return status, body
	}
	if status, body := ask(one, "POST", "/refresh"); status != 401 {
		t.Errorf("refresh without a token: %d %s", status, body)
	}
	stranger := w.device("Stranger", "eve@example.org")
	if status, body := ask(one, "POST", "/users/TestUser6/asks/"+stranger.ask("TestUser6").ID+"/deny"); status != 204 {
		t.Errorf("deny: %d %s", status, body)
	}
	if status, body := ask(stranger, "DELETE", "/devices/me"); status != 204 {
		t.Errorf("delete: %d %s", status, body)
	}
	if status, body := ask(one, "GET", "/users"); status != 200 {
		t.Errorf("list: %d %s", status, body)
	}
	if status, body := ask(one, "POST", "/logout"); status != 204 {
		t.Errorf("log-out: %d %s", status, body)
	}
	one.call("GET", "/users", "", 401)
}

// Fault C8: HEAD where GET is a stream or waits.
// [SPEC W3] It is answered at once, without a session, and the connection goes on.
func TestHeadOpensNothing(t *testing.T) {
	w := newWorld(t)
	one, two := w.pair()
	stranger := w.device("Stranger", "eve@example.org")
	ask := stranger.ask("TestUser6")
	settings := "/api/v1/users/TestUser6/settings?wait=60&since="
	before := one.head()
	one.call("PATCH", "/users/TestUser6/settings", `{"billing":{"salary":1}}`, 200)
	now := one.head()
	for _, route := range []struct {
		name, path  string
		of          *client
		status      int
		header, has string
	}{
		{"stream", "/api/v1/users/TestUser6/events", two, 200, "Content-Type", "text/event-stream"},
		{"stream of a stranger", "/api/v1/users/TestUser6/events", stranger, 404, "Content-Type", "application/problem+json"},
		{"long-poll with news", settings + before, two, 200, "ETag", `"` + now + `"`},
		{"long-poll without", settings + now, two, 304, "ETag", `"` + now + `"`},
		{"long-poll of another epoch", settings + "x.1", two, 200, "ETag", `"` + now + `"`},
		{"long-poll of nothing", settings, two, 400, "", ""},
		{"socket", "/api/v1/users/TestUser6/ws", two, 400, "", ""},
		{"ask", "/api/v1/asks/" + ask.ID + "?wait=60", stranger, 200, "", ""},
	} {
		t.Run(route.name, func(t *testing.T) {
			c := w.raw(t)
			lines := []string{bearer(route.of.token)}
			if route.name == "socket" {
				lines = append(lines, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==")
			}
			status, _, h := c.ask("HEAD", route.path, "", lines...)
			if status != route.status || route.header != "" && h.Get(route.header) != route.has {
				t.Errorf("%d %v", status, h)
			}
			if sessions, _ := w.hubs.Sessions(); sessions != 0 {
				t.Errorf("%d sessions", sessions)
			}
			if status, body, _ := c.ask("GET", "/api/v1/users", "", bearer(one.token)); status != 200 {
				t.Errorf("the next request: %d %s", status, body)
			}
		})
	}
}

// Fault E1: requests that wait pass the cap on sessions, and stay when the right is gone.
// [SPEC C8] [SPEC A2] A long-poll is a session: a ninth is refused, and all end
// within a second of what ends their right.
func TestPollsEndWithTheirRight(t *testing.T) {
	for name, end := range map[string]struct {
		do     func(w *world, one, two *client)
		status int
	}{
		"revoked": {func(_ *world, one, two *client) { one.revoke(two) }, 401},
		"removed": {func(_ *world, one, two *client) {
			one.call("DELETE", "/users/TestUser6/members/"+two.id, "", 204)
		}, 404},
		"log-out": {func(_ *world, _, two *client) { two.call("POST", "/logout", "", 204) }, 401},
		"a new password": {func(_ *world, one, _ *client) {
			one.call("POST", "/password", `{"current":"correct horse","new":"tide under marble"}`, 204)
		}, 401},
		"the server stops": {func(w *world, _, _ *client) {
			if err := w.hubs.Close(w.t.Context()); err != nil {
				w.t.Error(err)
			}
		}, 503},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			one, two := w.pair()
			path := "/api/v1/users/TestUser6/settings?wait=60&since=" + one.head()
			var polls []*rawHTTP
			for i := range 8 {
				c := w.raw(t)
				c.write("GET", path, "", bearer(two.token))
				polls = append(polls, c)
				for sessions, _ := w.hubs.Sessions(); sessions <= i; sessions, _ = w.hubs.Sessions() {
				}
			}
			if status, body, _ := w.raw(t).ask("GET", path, "", bearer(two.token)); status != 409 {
				t.Errorf("a ninth: %d %s", status, body)
			}
			end.do(w, one, two)
			began := time.Now()
			for _, c := range polls {
				if status, body, _ := c.answer("GET"); status != end.status {
					t.Errorf("%d %s", status, body)
				}
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("they ended after %v", took)
			}
		})
	}
}

// Fault E1: the other route that waits, over the wire.
// [SPEC C8] [SPEC A2] A device waits in eight requests, and they end with its log-in.
func TestAsksEndWithTheirRight(t *testing.T) {
	w := newWorld(t)
	w.pair()
	stranger := w.device("Stranger", "eve@example.org")
	path := "/api/v1/asks/" + stranger.ask("TestUser6").ID + "?wait=60"
	answers := make(chan int)
	for range 9 {
		c := w.raw(t)
		c.write("GET", path, "", bearer(stranger.token))
		go func() {
			answer, err := http.ReadResponse(c.in, nil)
			if err != nil {
				answers <- 0
				return
			}
			_ = answer.Body.Close()
			answers <- answer.StatusCode
		}()
	}
	if status := <-answers; status != 409 {
		t.Fatalf("one of nine: %d", status)
	}
	stranger.call("POST", "/logout", "", 204)
	began := time.Now()
	for range 8 {
		if status := <-answers; status != 401 {
			t.Errorf("after the log-out: %d", status)
		}
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("they ended after %v", took)
	}
}
