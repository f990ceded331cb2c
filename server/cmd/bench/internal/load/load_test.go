//go:build linux

package load

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"social-server/cmd/bench/internal/floor"
	"social-server/cmd/bench/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// liar is a floor that may do wrong.
type liar struct {
	lose   func(revision uint64, device int) bool // it does not send this
	repeat func(revision uint64, device int) bool // it sends this twice
	stall  func(revision uint64) time.Duration    // it waits before it sends this
	refuse func(revision uint64) bool

	mu       sync.Mutex // guards the following, and one writer at every connection
	revision uint64
	conns    []*websocket.Conn
}

func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer ws.Close()
	l.mu.Lock()
	l.conns = append(l.conns, ws)
	l.mu.Unlock()
	for {
		_, text, err := ws.ReadMessage()
		if err != nil {
			return
		}
		_, id, _ := strings.Cut(string(text), `"id":"`)
		l.pass(ws, id[:strings.IndexByte(id, '"')])
	}
}

// pass sends a change to all, as far as it is honest.
func (l *liar) pass(from *websocket.Conn, mark string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := l.revision + 1
	if l.refuse != nil && l.refuse(next) {
		_ = from.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"type":"refused","id":%q,"code":"unavailable"}`, mark))
		return
	}
	l.revision = next
	if l.stall != nil {
		time.Sleep(l.stall(next)) // what a stalled server does
	}
	text := fmt.Appendf(nil, `{"type":"change","epoch":"liar","from":%d,"revision":%d,"values":{"bench":{"text":{"value":"%s"}}}}`,
		next-1, next, mark)
	for i, ws := range l.conns {
		if l.lose != nil && l.lose(next, i) {
			continue
		}
		_ = ws.WriteMessage(websocket.TextMessage, text)
		if l.repeat != nil && l.repeat(next, i) {
			_ = ws.WriteMessage(websocket.TextMessage, text)
		}
	}
}

// oneUser is a user of three devices.
func oneUser() []*User {
	return []*User{{Name: "u", Devices: []*Device{{Name: "a"}, {Name: "b"}, {Name: "c"}}}}
}

// runAt connects a fleet to a bare server and runs a load.
func runAt(t *testing.T, addr string, users []*User, l Load) *Result {
	t.Helper()
	at, err := netip.ParseAddrPort(strings.TrimPrefix(addr, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(users, Target{Addr: at, Bare: true})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Connect(t.Context(), 10, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if err := f.Idle(t.Context(), 50*time.Millisecond); err != nil { // a bare server is ready before it has noted who came
		t.Fatal(err)
	}
	r, err := f.Run(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Every delivery is accounted for, and a server that lies is found out.
func TestAccount(t *testing.T) {
	at := func(revision uint64, device int) func(uint64, int) bool {
		return func(r uint64, d int) bool { return r == revision && d == device }
	}
	refused := false
	tests := map[string]struct {
		server *liar
		faults Faults
	}{
		"honest":                 {&liar{}, Faults{}},
		"loses one":              {&liar{lose: at(10, 1)}, Faults{Gaps: 1, Missing: 1}},
		"loses the last":         {&liar{lose: at(50, 2)}, Faults{Missing: 1, Unequal: 1}},
		"loses the first":        {&liar{lose: at(1, 0)}, Faults{Gaps: 1, Missing: 1}},
		"loses all of a change":  {&liar{lose: func(r uint64, _ int) bool { return r == 20 }}, Faults{Gaps: 3, Missing: 3}},
		"repeats one":            {&liar{repeat: at(10, 1)}, Faults{Repeats: 1}},
		"repeats to all of them": {&liar{repeat: func(r uint64, _ int) bool { return r == 20 }}, Faults{Repeats: 3}},
		"refuses one": {&liar{refuse: func(r uint64) bool {
			first := r == 9 && !refused
			refused = refused || first
			return first
		}}, Faults{Refused: 1}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(tt.server)
			defer server.Close()
			r := runAt(t, server.URL, oneUser(), Load{Rate: 500, For: 100 * time.Millisecond, Size: 40, Settle: 300 * time.Millisecond})
			if r.Faults != tt.faults {
				t.Errorf("%+v, want %+v", r.Faults, tt.faults)
			}
			if got := int(r.Latency.TotalCount()); tt.faults == (Faults{}) && (got != 150 || r.Expected != 150 || r.Last.TotalCount() != 50) {
				t.Errorf("%d deliveries of %d, %d changes arrived everywhere", got, r.Expected, r.Last.TotalCount())
			}
		})
	}
}

// A server that stalls is late for every change that was due meanwhile, not only
// for the one it was asked when it stalled: no omission is coordinated.
func TestStallShows(t *testing.T) {
	const stall, rate = 400 * time.Millisecond, 500
	server := httptest.NewServer(&liar{stall: func(r uint64) time.Duration {
		if r == 100 {
			return stall
		}
		return 0
	}})
	defer server.Close()
	r := runAt(t, server.URL, oneUser(), Load{Rate: rate, For: time.Second, Size: 40})
	if err := r.Faults.Err(); err != nil {
		t.Fatal(err)
	}
	late := 0
	for _, bar := range r.Latency.Distribution() {
		if time.Duration(bar.From) >= stall/2 {
			late += int(bar.Count)
		}
	}
	// Half of the changes due in the stall are late by half of it: 100, three times.
	if want := 3 * rate * int(stall/2/time.Millisecond) / 1000; late < want*9/10 {
		t.Errorf("%d deliveries are late by half the stall, want %d", late, want)
	}
	if worst := time.Duration(r.Latency.Max()); worst < stall*9/10 {
		t.Errorf("the worst delivery took %v of a stall of %v", worst, stall)
	}
}

// A device that passes revisions over has had them: their changes are counted
// once it is known which they were, from the ack or from another device.
func TestPassedOver(t *testing.T) {
	users := oneUser()
	f, err := New(users, Target{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := f.begin(Load{Rate: 3, For: time.Second, Within: time.Minute})
	r.next, r.open = 3, 9
	u, now := users[0], time.Now()
	note := func(from, revision uint64, seq int32) wire.Note {
		return wire.Note{Kind: wire.Change, From: from, Revision: revision, Mark: wire.Mark{Run: r.number, Seq: seq}, Marked: true}
	}
	f.changed(u.Devices[0], note(0, 3, 1), now) // change 1 became revision 3
	if r.open != 8 || len(u.parked) != 2 {
		t.Fatalf("%d open, %d parked", r.open, len(u.parked))
	}
	f.changed(u.Devices[1], note(0, 1, 2), now) // change 2 became revision 1
	f.changed(u.Devices[1], note(1, 3, 1), now)
	f.changed(u.Devices[2], note(0, 3, 1), now)
	f.learn(u, 2, wire.Mark{Run: r.number, Seq: 0}) // the ack of change 0: revision 2
	f.compare(r)
	if r.open != 0 || len(u.parked) != 0 || r.Faults != (Faults{}) {
		t.Errorf("%d open, %d parked, %+v", r.open, len(u.parked), r.Faults)
	}
}

// The floors deliver everything, whether or not they store it first.
func TestFloors(t *testing.T) {
	for _, durable := range []bool{false, true} {
		t.Run(fmt.Sprint("durable ", durable), func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			said := make(lines, 1)
			ended := make(chan error, 1)
			go func() { ended <- floor.Serve(ctx, floor.Options{Durable: durable, Dir: t.TempDir()}, said) }()
			line := <-said
			r := runAt(t, strings.TrimSpace(line[strings.Index(line, "http://"):]), oneUser(),
				Load{Rate: 300, For: 300 * time.Millisecond, Size: 100})
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if err := r.Faults.Err(); err != nil || r.Latency.TotalCount() != 270 {
				t.Errorf("%d deliveries, %v", r.Latency.TotalCount(), err)
			}
		})
	}
}

// lines takes what a program prints.
type lines chan string

// Write passes a line on.
func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// A server that refuses the connection is named, with what it said.
func TestConnectRefused(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	at := netip.MustParseAddrPort(strings.TrimPrefix(server.URL, "http://"))
	f, err := New(oneUser(), Target{Addr: at, Bare: true})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Connect(t.Context(), 1, 5*time.Second); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("the error is %v", err)
	}
}
