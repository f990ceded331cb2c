package api_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestSocketsThatSayNothing: an address may have twenty that have not said who
// they are; those that have do not count, and each that ends makes room (SEC-25).
func TestSocketsThatSayNothing(t *testing.T) {
	w := newWorld(t, func(s *shape) { s.wire.HelloWithin = time.Minute })
	one, two := w.pair()
	one.join("") // has said hello
	var silent []*socket
	for range 20 {
		silent = append(silent, one.dial())
	}
	refused := func() {
		t.Helper()
		_, answer, err := websocket.DefaultDialer.DialContext(t.Context(), one.url("TestUser6"), nil)
		if err == nil || answer == nil || answer.StatusCode != http.StatusTooManyRequests || answer.Header.Get("Retry-After") != "1" {
			t.Fatalf("one more: %v %v", answer, err)
		}
	}
	refused()
	s := two.dial("Authorization", "Bearer "+two.token) // known before it is a socket
	s.send(`{"type":"hello"}`)
	s.until("ready")
	silent[0].send(fmt.Sprintf(`{"type":"hello","token":%q}`, one.token))
	silent[0].until("ready")
	silent[0] = one.dial()
	refused()
	silent[1].send(`{"type":"hello","token":"x"}`)
	if got := silent[1].end(); got != "4501 not signed in" {
		t.Errorf("a bad hello: %s", got)
	}
	silent[1].ws.Close()
	for { // the server hears of the end a little later
		ws, answer, err := websocket.DefaultDialer.DialContext(t.Context(), one.url("TestUser6"), nil)
		if err == nil {
			ws.Close()
			break
		}
		if answer == nil || answer.StatusCode != http.StatusTooManyRequests {
			t.Fatal(answer, err)
		}
	}
	one.call("GET", "/users", "", 200)
}

// TestSilentSocketsInAll, wherever they come from.
func TestSilentSocketsInAll(t *testing.T) {
	told := make(chan string, 1)
	w := newWorld(t, func(s *shape) {
		s.limits.Waiting, s.wire.HelloWithin = 3, time.Minute
		s.limits.Limited = func(limiter string) { told <- limiter }
	})
	one, _ := w.pair()
	for range 3 {
		one.dial()
	}
	_, answer, err := websocket.DefaultDialer.DialContext(t.Context(), one.url("TestUser6"), nil)
	if err == nil || answer == nil || answer.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a fourth: %v %v", answer, err)
	}
	if got := <-told; got != "waiting" {
		t.Errorf("told of the limiter %q", got)
	}
}

// TestFloodOfPings is read, and answered as often as is fair.
func TestFloodOfPings(t *testing.T) {
	w := newWorld(t)
	one, _ := w.pair()
	s := one.joinRaw(t)
	const sent = 2000
	for range sent {
		s.write(frame(0x89, "flood"))
	}
	s.write(endMark)
	pongs := 0
	for {
		kind, _ := s.read()
		if kind == 1 {
			break
		}
		if kind == -1 {
			t.Fatal("closed")
		}
		pongs++
	}
	if pongs < 60 || pongs > sent/2 {
		t.Errorf("%d pongs for %d pings", pongs, sent)
	}
}
