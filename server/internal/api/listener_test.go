package api_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"social-server/internal/api"
)

// pages is a web site of one large file.
type pages []byte

func (p pages) ServeHTTP(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(p) }

// connections counts a server's connections that have closed.
type connections struct {
	mu     sync.Mutex
	closed int
}

func (c *connections) state(_ net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if state == http.StateClosed {
		c.closed++
	}
}

// await returns once so many have closed, or after ten seconds.
func (c *connections) await(t *testing.T, want int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		c.mu.Lock()
		closed := c.closed
		c.mu.Unlock()
		if closed >= want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d connections were closed", closed, want)
		}
	}
}

// Fault E2: responses that nobody reads, without a log-in, one or many at once.
// [SPEC W2] The connection ends when no byte has moved for WRITE_TIMEOUT.
func TestResponsesThatNobodyReads(t *testing.T) {
	var seen connections
	w := newWorld(t, func(s *shape) {
		s.wire.WriteWithin, s.state = 300*time.Millisecond, seen.state
		s.server = func(a *api.Server) { a.Web = pages(make([]byte, 16<<20)) }
	})
	w.raw(t).write("GET", "/large", "")
	many := w.raw(t)
	for range 50 {
		many.write("GET", "/large", "")
	}
	seen.await(t, 2)
}

// [SPEC W2] A slow line that moves is not cut off, however long it takes.
func TestSlowLineIsServed(t *testing.T) {
	const size, step, within = 6 << 20, 64 << 10, 750 * time.Millisecond
	w := newWorld(t, func(s *shape) {
		s.wire.WriteWithin = within
		s.server = func(a *api.Server) { a.Web = pages(make([]byte, size)) }
	})
	c := w.raw(t)
	if err := c.conn.(*net.TCPConn).SetReadBuffer(step); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	c.write("GET", "/large", "", "Connection: close")
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	line := time.NewTicker(40 * time.Millisecond) // 1.6 MB/s
	defer line.Stop()
	total := int64(0)
	for err == nil {
		<-line.C
		var n int64
		n, err = io.CopyN(io.Discard, answer.Body, step)
		total += n
	}
	if took := time.Since(began); err != io.EOF || total != size || took < 2*within {
		t.Errorf("%d bytes in %v, then %v", total, took, err)
	}
}

// Fault E2: connections without end from one address.
// [SPEC W5] An address has so many; sessions do not count, and each that ends makes room.
func TestConnectionsOfAnAddress(t *testing.T) {
	w := newWorld(t, func(s *shape) { s.limits.ConnectionsPerAddress = 4 })
	one, two := w.pair()
	w.server.Client().CloseIdleConnections()
	one.join("")
	f := two.follow("")
	f.until("ready")
	path := "/api/v1/users/TestUser6/settings?wait=60&since=" + one.head()
	for i := range 3 {
		w.raw(t).write("GET", path, "", bearer(two.token))
		for sessions, _ := w.hubs.Sessions(); sessions < i+3; sessions, _ = w.hubs.Sessions() {
		}
	}
	w.server.Client().CloseIdleConnections()
	var idle []*rawHTTP
	for i := 0; i < 4; { // the server sees the end of the client's own connections a little later
		c := w.raw(t)
		if c.open() {
			idle = append(idle, c)
			i++
		}
	}
	c := w.raw(t)
	if answer, err := http.ReadResponse(c.in, nil); err != nil || answer.StatusCode != 429 || answer.Header.Get("Retry-After") != "1" {
		t.Errorf("one more: %v %v", answer, err)
	}
	c.closed()
	_ = idle[0].conn.Close()
	for !w.raw(t).open() { // as soon as the server has seen the end
	}
}

// open reports whether the server answers on a connection.
func (c *rawHTTP) open() bool {
	_, _ = io.WriteString(c.conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n") // it may be closed already
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return answer.StatusCode == 200
}

// [SPEC W5] Behind a trusted proxy the requests of each client count, and the proxy's connections do not.
func TestConnectionsThroughAProxy(t *testing.T) {
	w := newWorld(t, func(s *shape) {
		s.limits.ConnectionsPerAddress, s.wire.WriteWithin = 2, time.Minute
		s.server = func(a *api.Server) {
			a.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
			a.Web = pages(make([]byte, 16<<20))
		}
	})
	for range 2 {
		c := w.raw(t)
		c.write("GET", "/large", "", "X-Forwarded-For: 192.0.2.1")
		if answer, err := http.ReadResponse(c.in, nil); err != nil || answer.StatusCode != 200 { // its body is not read
			t.Fatal(answer, err)
		}
	}
	if status, body, _ := w.raw(t).ask("GET", "/healthz", "", "X-Forwarded-For: 192.0.2.1"); status != 429 || !strings.Contains(body, "rate-limited") {
		t.Errorf("one more: %d %s", status, body)
	}
	for i := range 5 {
		line := fmt.Sprintf("X-Forwarded-For: 192.0.2.%d", 2+i)
		if status, body, _ := w.raw(t).ask("GET", "/healthz", "", line); status != 200 {
			t.Errorf("another client: %d %s", status, body)
		}
	}
}

// Fault C7: a device has as many streams as it may, some of them dead.
// [SPEC C8] A newer stream ends the oldest one; WebSockets are not touched for it.
func TestNewerStreamTakesThePlace(t *testing.T) {
	w := newWorld(t, func(s *shape) { s.hub.SessionsPerDevice = 3 })
	one, two := w.pair()
	for range 3 {
		two.join("")
	}
	two.call("GET", "/users/TestUser6/events", "", 409) // none of its sessions is a stream
	socket := one.join("")
	oldest, younger := one.follow(""), (*follower)(nil)
	oldest.until("ready")
	younger = one.follow("")
	younger.until("ready")
	newest := one.follow("")
	newest.until("ready")
	if e := oldest.until("bye"); !strings.Contains(e.data, `"code":4504`) {
		t.Errorf("%+v", e)
	}
	if e, ok := oldest.next(); ok {
		t.Errorf("after bye: %+v", e)
	}
	one.call("PATCH", "/users/TestUser6/settings", `{"billing":{"salary":1}}`, 200)
	younger.until("change")
	newest.until("change")
	socket.until("change")
	extra := one.dial()
	extra.send(fmt.Sprintf(`{"type":"hello","token":%q}`, one.token))
	if got := extra.end(); got != "4504 too many connections" {
		t.Errorf("one more socket: %s", got)
	}
}

// Fault E5: heads that two readers may read in two ways.
// [SPEC W6] They are answered once, and the connection ends; what net/http does not show is listed in SECURITY.
func TestAmbiguousFraming(t *testing.T) {
	w := newWorld(t)
	next := "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
	post := "POST /api/v1/logout HTTP/1.1\r\nHost: localhost\r\n"
	for name, tt := range map[string]struct {
		text     string
		statuses []int
	}{
		"two lengths":                       {post + "Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + next, []int{400}},
		"two lengths in one line":           {post + "Content-Length: 0, 5\r\n\r\n" + next, []int{400}},
		"a length with a sign":              {post + "Content-Length: +0\r\n\r\n" + next, []int{400}},
		"a length and chunks":               {post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + next, []int{401}},
		"chunks alone":                      {post + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + next, []int{401}},
		"chunks twice":                      {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + next, []int{501}},
		"chunks behind a control":           {post + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + next, []int{400}},
		"chunk lines that end with LF":      {post + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n" + next, []int{400}},
		"a space before a colon":            {post + "Content-Length : 5\r\n\r\n" + next, []int{400}},
		"a CR within a header":              {post + "X: a\rContent-Length: 5\r\n\r\n" + next, []int{400}},
		"a line that is folded":             {post + "Content-Length: 0\r\nX: a\r\n b: c\r\n\r\n" + next, []int{401, 200}}, // net/http joins it, as RFC 9112, 5.2, allows
		"lines that end with LF":            {strings.ReplaceAll(post+"Content-Length: 0\r\n\r\n", "\r\n", "\n") + next, []int{401, 200}},
		"the same length twice":             {post + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n" + next, []int{401, 200}},
		"chunks of HTTP/1.0":                {"POST /api/v1/logout HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + next, []int{401}},
		"a length of a GET, and no request": {"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 35\r\n\r\n" + next, []int{413}},
	} {
		t.Run(name, func(t *testing.T) {
			c := w.raw(t)
			if _, err := io.WriteString(c.conn, tt.text); err != nil {
				t.Fatal(err)
			}
			if err := c.conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			var got []int
			for {
				answer, err := http.ReadResponse(c.in, nil)
				if err != nil {
					break
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
				got = append(got, answer.StatusCode)
			}
			if fmt.Sprint(got) != fmt.Sprint(tt.statuses) {
				t.Errorf("answered %v, want %v", got, tt.statuses)
			}
		})
	}
}
