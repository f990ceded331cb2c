package api_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gorilla/websocket"

	"social-server/internal/protocol"
)

// [SPEC C5] [SPEC I2] [SPEC S4] [SPEC P2] The whole way of one change: to the other device, and to its sender before the ack.
func TestChangeReachesTheOtherDevice(t *testing.T) {
	w := newWorld(t)
	one, two := w.pair()
	a, b := one.join(""), two.join("")
	a.send(`{"type":"patch","id":"p1","set":{"billing":{"salary":3000},"user":{"acceptedTerms":false}}}`)
	change := b.until("change")
	for _, part := range []string{`"from":0,"revision":1`, `"salary":{"value":3000,"revision":1,"device":"` + one.id, `"acceptedTerms":{"value":false`} {
		if !strings.Contains(change, part) {
			t.Errorf("no %s in %s", part, change)
		}
	}
	var order []string
	for len(order) < 2 {
		text, err := a.read()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text, `"presence"`) {
			order = append(order, text)
		}
	}
	if order[0] != change || order[1] != `{"type":"ack","id":"p1","revision":1,"duplicate":false}` {
		t.Errorf("the sender got %q", order)
	}
	b.send(`{"type":"patch","id":"p1","set":{"billing":{"salary":9}}}`)
	want := `{"type":"ack","id":"p1","revision":2,"overwrote":{"billing":{"salary":{"value":3000,"device":"` + one.id + `","revision":1}}},"duplicate":false}`
	if ack := b.until("ack"); ack != want {
		t.Errorf("got %s, want %s", ack, want)
	}
}

// [SPEC I1] Opening, joining, reading and leaving write nothing, also from a third, fresh device.
func TestConnectingWritesNothing(t *testing.T) {
	w := newWorld(t)
	one, two := w.pair()
	a := one.join("")
	a.send(`{"type":"patch","id":"p1","set":{"billing":{"salary":3000}}}`)
	a.until("ack")
	before := one.call("GET", "/users/TestUser6/settings", "", 200)
	third := w.device("Phone", "anna@example.org")
	third.call("POST", "/users/TestUser6/join", "", 200)
	for _, c := range []*client{two, third} {
		s := c.join("")
		s.send(`{"type":"pong","seen":1}`)
		s.send(`{"type":"focus","field":"billing.salary"}`)
		s.send(`{"type":"preview","set":{"billing":{"salary":1}}}`)
		a.until("preview")
		s.send(`{"type":"sync","revision":0}`)
		s.until("change")
		s.ws.Close()
	}
	third.call("DELETE", "/users/TestUser6/join", "", 204)
	if after := one.call("GET", "/users/TestUser6/settings", "", 200); after != before {
		t.Errorf("before %s\nafter  %s", before, after)
	}
}

// [SPEC I3] [SPEC P4] [SPEC P3] Repeats, reused ids, conflicts and bad values on the wire.
func TestPatchAnswers(t *testing.T) {
	w := newWorld(t)
	one, two := w.pair()
	a, b := one.join(""), two.join("")
	step := func(s *socket, send, kind string, want ...string) {
		t.Helper()
		s.send(send)
		got := s.until(kind)
		for _, part := range want {
			if !strings.Contains(got, part) {
				t.Errorf("%s: got %s, want %s", send, got, part)
			}
		}
	}
	const first = `{"type":"patch","id":"p1","set":{"billing":{"salary":3000}}}`
	step(a, first, "ack", `"revision":1`, `"duplicate":false`)
	step(a, first, "ack", `"revision":1`, `"duplicate":true`)
	step(a, `{"type":"patch","id":"p1","set":{"billing":{"salary":3001}}}`, "refused", `"code":"id-reused"`)
	step(b, `{"type":"patch","id":"p2","set":{"billing":{"salary":5}},"base":{"billing":{"salary":0}}}`, "refused",
		`"id":"p2","code":"conflict"`, `"field":"billing.salary"`, `"current":{"billing":{"salary":{"value":3000,"revision":1`)
	step(b, `{"type":"patch","id":"p3","set":{"billing":{"salary":5}},"base":{"billing":{"salary":1}}}`, "ack", `"revision":2`)
	step(a, `{"type":"patch","id":"p4","set":{"billing":{"salary":99999}}}`, "refused", `"code":"invalid"`, `"field":"billing.salary"`)
	step(a, `{"type":"patch","id":"p5","set":[]}`, "refused", `"id":"p5","code":"malformed"`)
	step(a, `{"type":"patch","id":"p6","set":{"user":{"email":null}}}`, "ack", `"revision":3`)
}

// [SPEC C6] A device that was away gets just what it missed; one from elsewhere gets everything.
func TestResume(t *testing.T) {
	w := newWorld(t)
	one, two := w.pair()
	a := one.join("")
	for i, set := range []string{`{"billing":{"salary":1}}`, `{"billing":{"period":2}}`, `{"billing":{"salary":null}}`} {
		a.send(fmt.Sprintf(`{"type":"patch","id":"p%d","set":%s}`, i, set))
		a.until("ack")
	}
	epoch, err := w.store.Epoch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := two.dial()
	s.send(fmt.Sprintf(`{"type":"hello","token":%q,"resume":{"epoch":%q,"revision":2}}`, two.token, epoch))
	if got := s.until("change"); !strings.Contains(got, `"from":2,"revision":3,"values":{"billing":{"salary":{"value":null,"revision":3`) || strings.Contains(got, "period") {
		t.Errorf("from 2: %s", got)
	}
	s = two.dial()
	s.send(fmt.Sprintf(`{"type":"hello","token":%q,"resume":{"epoch":"another","revision":2}}`, two.token))
	if got := s.until("change"); !strings.Contains(got, `"from":0,"revision":3,`) || !strings.Contains(got, "period") {
		t.Errorf("another epoch: %s", got)
	}
}

// [SPEC C4] [SPEC C9] [SPEC E2] [SPEC E3] How a connection that breaks the rules ends.
func TestCloseCodes(t *testing.T) {
	w := newWorld(t, func(s *shape) { s.wire.HelloWithin = 300 * time.Millisecond })
	one, _ := w.pair()
	stranger := w.device("Stranger", "eve@example.org")
	hello := func(c *client) string { return fmt.Sprintf(`{"type":"hello","token":%q}`, c.token) }
	text, binary := websocket.TextMessage, websocket.BinaryMessage
	tests := map[string]struct {
		kind   int
		frames []string
		want   string
	}{
		"silence":              {text, nil, "4501 no hello in time"},
		"no token":             {text, []string{`{"type":"hello"}`}, "4501 not signed in"},
		"a bad token":          {text, []string{`{"type":"hello","token":"x.y.z"}`}, "4501 not signed in"},
		"patch before hello":   {text, []string{`{"type":"patch","id":"p","set":{}}`}, "4500 hello comes first"},
		"garbage":              {text, []string{"hello"}, "4500 must be one JSON object"},
		"a stranger":           {text, []string{hello(stranger)}, "4506 not a member"},
		"a hello of 5 KiB":     {text, []string{`{"type":"hello","token":"` + strings.Repeat("x", 5<<10) + `"}`}, "1009 frame too big"},
		"binary":               {binary, []string{hello(one)}, "1003 text frames only"},
		"bad UTF-8":            {text, []string{"{\"type\":\"hello\",\"token\":\"\xff\"}"}, "1007 not UTF-8"},
		"hello twice":          {text, []string{hello(one), hello(one)}, "4500 hello comes once"},
		"an unknown type":      {text, []string{hello(one), `{"type":"shout"}`}, "4500 type is not one a device sends"},
		"an unknown member":    {text, []string{hello(one), `{"type":"sync","revision":1,"fast":true}`}, "4500 is not a frame of its type"},
		"a frame of 40 KiB":    {text, []string{hello(one), `{"type":"focus","field":"` + strings.Repeat("x", 40<<10) + `"}`}, "1009 frame too big"},
		"another's token":      {text, []string{hello(one), fmt.Sprintf(`{"type":"auth","token":%q}`, stranger.token)}, "4501 another device's token"},
		"a bad token later":    {text, []string{hello(one), `{"type":"auth","token":"x"}`}, "4501 not signed in"},
		"binary after hello":   {text, []string{hello(one), "\x00"}, "4500 must be one JSON object"},
		"a patch without set":  {text, []string{hello(one), `{"type":"patch"}`}, "4500 id must be 1 to 64 letters, digits or . _ : -"},
		"a flood without rest": {text, append([]string{hello(one)}, strings.Split(strings.Repeat(`{"type":"pong","seen":0}|`, 500)[:500*25-1], "|")...), "4004 too many frames"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := one.dial()
			s.t = t
			for _, frame := range tt.frames {
				if err := s.ws.WriteMessage(tt.kind, []byte(frame)); err != nil {
					break // closed already: the end says why
				}
			}
			if got := s.end(); got != tt.want {
				t.Errorf("closed with %q, want %q", got, tt.want)
			}
		})
	}
	if strings.Contains(w.log.String(), "level=ERROR") {
		t.Errorf("logged as our fault: %s", w.log)
	}
}

// [SPEC C1] [SPEC C2] [SPEC C3] Who is refused before the upgrade, and how.
func TestUpgradeRefusals(t *testing.T) {
	w := newWorld(t, func(s *shape) { s.wire.Origins = []string{"https://app.example.org"} })
	one, _ := w.pair()
	stranger := w.device("Stranger", "eve@example.org")
	own := w.server.URL
	for name, tt := range map[string]struct {
		headers http.Header
		status  int // 101 is accepted
	}{
		"no subprotocol":       {http.Header{}, 101},
		"ours among others":    {http.Header{"Sec-Websocket-Protocol": {"chat, settings-sync.v1"}}, 101},
		"only unknown ones":    {http.Header{"Sec-Websocket-Protocol": {"settings-sync.v9"}}, 400},
		"own origin":           {http.Header{"Origin": {own}}, 101},
		"listed origin":        {http.Header{"Origin": {"https://app.example.org"}}, 101},
		"listed, other scheme": {http.Header{"Origin": {"http://app.example.org"}}, 403},
		"a suffix of it":       {http.Header{"Origin": {"https://app.example.org.evil.org"}}, 403},
		"a prefix of it":       {http.Header{"Origin": {"https://evilapp.example.org"}}, 403},
		"own, other port":      {http.Header{"Origin": {"http://127.0.0.1:1"}}, 403},
		"own, other scheme":    {http.Header{"Origin": {"https" + strings.TrimPrefix(own, "http")}}, 403},
		"null":                 {http.Header{"Origin": {"null"}}, 403},
		"empty":                {http.Header{"Origin": {""}}, 403},
		"two":                  {http.Header{"Origin": {own, "https://evil.org"}}, 403},
		"a good token":         {http.Header{"Authorization": {"Bearer " + one.token}}, 101},
		"a bad token":          {http.Header{"Authorization": {"Bearer x"}}, 401},
		"a stranger's token":   {http.Header{"Authorization": {"Bearer " + stranger.token}}, 404},
	} {
		t.Run(name, func(t *testing.T) {
			ws, answer, err := websocket.DefaultDialer.DialContext(t.Context(), one.url("TestUser6"), tt.headers)
			if answer == nil || answer.StatusCode != tt.status {
				t.Fatalf("%v %v, want %d", answer, err, tt.status)
			}
			if tt.status != 101 {
				if kind := answer.Header.Get("Content-Type"); kind != "application/problem+json" {
					t.Errorf("answered as %s", kind)
				}
				return
			}
			ws.Close()
		})
	}
	if status, text, _ := one.try("GET", "/users/TestUser6/ws", ""); status != 400 {
		t.Errorf("without an upgrade: %d %s", status, text)
	}
}

// Fault E9: another version of WebSocket was refused without a word about ours.
// [SPEC C1] The answer names the supported one (RFC 6455, 4.4).
func TestUpgradeToAnotherVersion(t *testing.T) {
	w := newWorld(t)
	one, _ := w.pair()
	const versionHeader = "Sec-WebSocket-Version"
	for _, version := range []string{"8", "0", "14", "130", "13, 8", ""} {
		status, text, h := one.try("GET", "/users/TestUser6/ws", "",
			"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Key", "MDEyMzQ1Njc4OWFiY2RlZg==", versionHeader, version)
		if status != 400 || h.Get(versionHeader) != "13" || !strings.Contains(text, `"field":"`+versionHeader+`"`) {
			t.Errorf("version %q: %d %q %s", version, status, h.Get(versionHeader), text)
		}
	}
	if status, _, h := one.try("GET", "/users/TestUser6/ws", ""); status != 400 || h.Get(versionHeader) != "" {
		t.Errorf("no upgrade at all: %d %q", status, h.Get(versionHeader))
	}
}

// [SPEC C3] With the token in the upgrade, hello needs none.
func TestTokenInTheUpgrade(t *testing.T) {
	w := newWorld(t)
	one, _ := w.pair()
	s := one.dial("Authorization", "Bearer "+one.token)
	s.send(`{"type":"hello"}`)
	if got := s.until("welcome"); !strings.Contains(got, `"username":"TestUser6"`) || !strings.Contains(got, one.id) {
		t.Error(got)
	}
}

// [SPEC C8] Eight sessions; a ninth is closed.
func TestTooManySessions(t *testing.T) {
	w := newWorld(t)
	one, _ := w.pair()
	for range 8 {
		one.join("")
	}
	s := one.dial()
	s.send(fmt.Sprintf(`{"type":"hello","token":%q}`, one.token))
	if got := s.end(); got != "4504 too many connections" {
		t.Error(got)
	}
}

// [SPEC I6] [SPEC A2] Revoking a device, leaving a user and logging out end live sessions, and say which.
func TestSessionsEndWithTheirRight(t *testing.T) {
	w := newWorld(t)
	one, two := w.pair()
	watch := one.join("")
	left := two.join("")
	two.call("DELETE", "/users/TestUser6/join", "", 204)
	if got := left.end(); got != "4506 not a member any more" {
		t.Errorf("left: %s", got)
	}
	if got := watch.until("device"); !strings.Contains(got, `"event":"left"`) {
		t.Error(got)
	}
	two.call("POST", "/users/TestUser6/join", "", 200)
	revoked := two.join("")
	one.revoke(two)
	if got := revoked.end(); got != "4503 device revoked" {
		t.Errorf("revoked: %s", got)
	}
	two.call("GET", "/users", "", 401)
	s := two.dial()
	s.send(fmt.Sprintf(`{"type":"hello","token":%q}`, two.token))
	if got := s.end(); got != "4503 device revoked" {
		t.Errorf("after the revocation: %s", got)
	}
	one.call("POST", "/logout", "", 204)
	if got := watch.end(); got != "4501 signed out" {
		t.Errorf("logged out: %s", got)
	}
}

// [SPEC A1] [SPEC A2] A session lasts as long as its token, and is renewed in place.
func TestTokenExpiryAndRenewal(t *testing.T) {
	w := newWorld(t, func(s *shape) { s.account.AccessLife = 3 * time.Second; s.hub.AuthDueLead = 2 * time.Second })
	one, two := w.pair()
	ends, renewed := one.join(""), two.join("")
	renewed.until("authDue")
	fresh := &client{w: w, name: two.name}
	body := fresh.call("POST", "/login", `{"deviceName":"Firefox.test6","password":"correct horse"}`, 200)
	token := strings.Split(strings.SplitAfter(body, `"accessToken":"`)[1], `"`)[0]
	renewed.send(fmt.Sprintf(`{"type":"auth","token":%q}`, token))
	if got := ends.end(); got != "4001 token expired" {
		t.Error(got)
	}
	renewed.send(`{"type":"sync","revision":0}`)
	renewed.until("change")
	expired := one.dial()
	expired.send(fmt.Sprintf(`{"type":"hello","token":%q}`, one.token))
	if got := expired.end(); got != "4001 token expired" {
		t.Errorf("hello with an expired token: %s", got)
	}
}

// [SPEC I7] [SPEC S8] A real socket whose peer stops reading is closed in its time and holds up nobody.
func TestPeerThatStopsReading(t *testing.T) {
	const within = 2 * time.Second
	w := newWorld(t, func(s *shape) {
		s.wire.WriteWithin = within
		s.wire.Limits.FramesPerSecond, s.wire.Limits.FrameBurst = 10000, 10000
		s.wire.Limits.FrameBytes = 1 << 20
	})
	one, two := w.pair()
	dialer := websocket.Dialer{NetDial: func(network, address string) (net.Conn, error) {
		conn, err := net.Dial(network, address)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		}
		return conn, err
	}}
	stuck, _, err := dialer.DialContext(t.Context(), two.url("TestUser6"), http.Header{"Authorization": {"Bearer " + two.token}})
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Close()
	if err := stuck.WriteMessage(websocket.TextMessage, []byte(`{"type":"hello"}`)); err != nil {
		t.Fatal(err)
	}
	(&socket{t, stuck}).until("ready") // and from here on it reads no more
	a := one.join("")
	long := strings.Repeat("ä", 64)
	deadline := time.Now().Add(time.Minute)
	for i := 0; len(w.hubs.Online(t.Context(), userID(t, w))[0]) == 2; i++ {
		if time.Now().After(deadline) {
			t.Fatal("the peer that does not read was never closed")
		}
		sent := time.Now()
		a.send(fmt.Sprintf(`{"type":"patch","id":"p%d","set":{"user":{"username":%q}}}`, i, long))
		a.until("ack")
		if took := time.Since(sent); took > within {
			t.Fatalf("a change took %v beside a peer that does not read", took)
		}
		// Previews fill its socket, as large as they may be: of those that come at once it is sent the last.
		for range 50 {
			a.send(fmt.Sprintf(`{"type":"preview","set":{"user":{"username":%q}}}`, strings.Repeat(long, 60)))
		}
	}
}

func userID(t *testing.T, w *world) string {
	t.Helper()
	who, err := w.accounts.Authenticate(t.Context(), w.token(t))
	if err != nil {
		t.Fatal(err)
	}
	user, err := w.accounts.Authorize(t.Context(), who, "TestUser6")
	if err != nil {
		t.Fatal(err)
	}
	return user.ID
}

func (w *world) token(t *testing.T) string {
	t.Helper()
	grant, err := w.accounts.Login(t.Context(), "Chrome.test6", "correct horse", "test")
	if err != nil {
		t.Fatal(err)
	}
	return grant.AccessToken
}

// [SPEC E4] Over the pace a patch is refused, and the session lives; after a rest it goes on.
func TestPace(t *testing.T) {
	told := make(chan string, 1)
	w := newWorld(t, func(s *shape) {
		s.wire.Limits.FramesPerSecond, s.wire.Limits.FrameBurst, s.wire.FrameExcess = 50, 2, 1_000_000
		s.limits.Limited = func(limiter string) {
			select {
			case told <- limiter:
			default: // many more of the same
			}
		}
	})
	one, _ := w.pair()
	a := one.join("")
	for i := range 20 {
		a.send(fmt.Sprintf(`{"type":"patch","id":"p%d","set":{"billing":{"salary":1}}}`, i))
	}
	if got := a.until("refused"); !strings.Contains(got, `"code":"rate-limited"`) || !strings.Contains(got, `"retryIn":1000`) {
		t.Error(got)
	}
	if got := <-told; got != "frames" {
		t.Errorf("told of the limiter %q", got)
	}
	for i := 0; ; i++ { // its pace comes back
		a.send(fmt.Sprintf(`{"type":"patch","id":"q%d","set":{"billing":{"salary":1}}}`, i))
		text, err := a.read()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text, `"ack","id":"q`) {
			break
		}
	}
}

// [SPEC P6] Patches of one session are stored in the order they were sent, many of them in flight.
func TestPipelinedPatchesKeepTheirOrder(t *testing.T) {
	w := newWorld(t, func(s *shape) { s.wire.Limits.FramesPerSecond, s.wire.Limits.FrameBurst = 10000, 10000 })
	one, two := w.pair()
	a, b := one.join(""), two.join("")
	const n = 500
	go func() {
		for i := range n {
			text := fmt.Sprintf(`{"type":"patch","id":"p%d","set":{"billing":{"salary":%d}}}`, i, i)
			if a.ws.WriteMessage(websocket.TextMessage, []byte(text)) != nil {
				return
			}
		}
	}()
	for i := range n {
		want := fmt.Sprintf(`{"type":"ack","id":"p%d","revision":%d,"duplicate":false}`, i, i+1)
		if got := a.until("ack"); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
	for !strings.Contains(b.until("change"), fmt.Sprintf(`"value":%d,"revision":%d,`, n-1, n)) {
	}
}

// [SPEC E5] At shutdown patches received before are answered, then come bye and 4000.
func TestShutdownAnswersFirst(t *testing.T) {
	w := newWorld(t)
	one, _ := w.pair()
	a := one.join("")
	for i := range 30 {
		a.send(fmt.Sprintf(`{"type":"patch","id":"p%d","set":{"billing":{"salary":1}}}`, i))
	}
	a.until("ack")
	go w.settings.Close()
	go w.hubs.Close(t.Context())
	answered, bye := 1, false
	for {
		text, err := a.read()
		if err != nil {
			if e, ok := err.(*websocket.CloseError); !ok || e.Code != protocol.CloseRestart {
				t.Errorf("ended with %v", err)
			}
			break
		}
		if bye = bye || strings.Contains(text, `"type":"bye","code":4000,"reason":"restart","retryIn":`); bye {
			continue
		}
		if strings.Contains(text, `"type":"ack"`) || strings.Contains(text, `"code":"unavailable"`) {
			answered++
		}
	}
	if !bye {
		t.Error("no bye")
	}
	t.Logf("%d of 30 answered before the close", answered)
}

// [SPEC E5] A node that is drained says bye and takes no new session; what comes
// over HTTP is stored as long as it runs.
func TestDrainOverTheWire(t *testing.T) {
	w := newWorld(t)
	one, two := w.pair()
	a := one.join("")
	if err := w.hubs.Drain(t.Context(), time.Millisecond); err != nil {
		t.Fatal(err)
	}
	var bye struct {
		RetryIn int `json:"retryIn"`
	}
	if err := json.Unmarshal([]byte(a.until("bye")), &bye); err != nil || bye.RetryIn < 500 || bye.RetryIn > 2500 {
		t.Errorf("to come back in %d ms: %v", bye.RetryIn, err)
	}
	_, err := a.read()
	if e, ok := err.(*websocket.CloseError); !ok || e.Code != protocol.CloseRestart {
		t.Errorf("the session ended with %v", err)
	}
	// Before the upgrade: a balancer then asks another node.
	if _, answer, err := websocket.DefaultDialer.DialContext(t.Context(), two.url("TestUser6"), nil); answer == nil || answer.StatusCode != 503 {
		t.Errorf("a new session: %v %v", answer, err)
	}
	if status, _, _ := two.try("GET", "/users/TestUser6/events", ""); status != 503 {
		t.Errorf("a new stream: %d", status)
	}
	two.call("PATCH", "/users/TestUser6/settings", `{"billing":{"salary":1}}`, 200)
}
