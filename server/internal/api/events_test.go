package api_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// event is one Server-Sent Event.
type event struct{ kind, id, data string }

// follower reads a stream as curl would.
type follower struct {
	t    *testing.T
	body *bufio.Scanner
	stop context.CancelFunc
}

func (c *client) follow(lastID string) *follower {
	c.w.t.Helper()
	ctx, stop := context.WithTimeout(c.w.t.Context(), 20*time.Second)
	r, err := http.NewRequestWithContext(ctx, "GET", c.w.server.URL+"/api/v1/users/TestUser6/events", nil)
	if err != nil {
		c.w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	answer, err := c.w.server.Client().Do(r)
	if err != nil {
		c.w.t.Fatal(err)
	}
	c.w.t.Cleanup(func() { stop(); answer.Body.Close() })
	// Fault C11, SPEC H1: no proxy is to hold events back, or compress them.
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" ||
		answer.Header.Get("Cache-Control") != "no-store, no-transform" || answer.Header.Get("X-Accel-Buffering") != "no" {
		c.w.t.Fatalf("%d %s", answer.StatusCode, answer.Header)
	}
	return &follower{c.w.t, bufio.NewScanner(answer.Body), stop}
}

// next returns the next event, passing over comments and retry.
func (f *follower) next() (e event, ok bool) {
	for f.body.Scan() {
		name, value, _ := strings.Cut(f.body.Text(), ": ")
		switch {
		case name == "event":
			e.kind = value
		case name == "id":
			e.id = value
		case name == "data" && e.data != "":
			e.data += "\n" + value
		case name == "data":
			e.data = value
		case f.body.Text() == "" && e.kind != "":
			return e, true
		}
	}
	return e, false
}

func (f *follower) until(kind string) event {
	f.t.Helper()
	for {
		e, ok := f.next()
		if !ok {
			f.t.Fatalf("the stream ended before %s: %v", kind, f.body.Err())
		}
		if e.kind == kind {
			return e
		}
	}
}

// [SPEC H1] A stream is the same session: the same frames, resumed by id without a gap or a repeat.
func TestEventsFollowAndResume(t *testing.T) {
	w := newWorld(t)
	one, two := w.pair()
	patch := func(n int) {
		one.call("PATCH", "/users/TestUser6/settings", fmt.Sprintf(`{"billing":{"salary":%d}}`, n), 200)
	}
	f := two.follow("")
	if e := f.until("welcome"); !strings.Contains(e.data, `"device":{"id":"`+two.id) || e.id != "" {
		t.Errorf("welcome: %+v", e)
	}
	f.until("ready")
	seen := map[string]int{}
	last := ""
	for n := 1; n <= 30; n++ {
		patch(n)
		e := f.until("change")
		seen[e.id]++
		last = e.id
		if n%5 == 0 { // killed and taken up again, once with changes in between
			f.stop()
			if n%10 == 0 {
				n++
				patch(n)
			}
			f = two.follow(last)
			if n%5 == 1 {
				e := f.until("change")
				seen[e.id]++
				last = e.id
			}
		}
	}
	for revision := 1; revision <= 30; revision++ {
		if n := seen[fmt.Sprintf("%s.%d", strings.Split(last, ".")[0], revision)]; n != 1 {
			t.Errorf("revision %d came %d times", revision, n)
		}
	}
}

// [SPEC H1] Another epoch in Last-Event-ID gets the whole state; garbage is refused.
func TestEventsFromElsewhere(t *testing.T) {
	w := newWorld(t)
	one, two := w.pair()
	one.call("PATCH", "/users/TestUser6/settings", `{"billing":{"salary":1}}`, 200)
	if e := two.follow("other.7").until("change"); !strings.Contains(e.data, `"from":0,"revision":1`) {
		t.Errorf("%+v", e)
	}
	for _, id := range []string{"7", "x.-1", ".1", "x.1.5", "x.99999999999999999999"} {
		two.call("GET", "/users/TestUser6/events", "", 400, "Last-Event-ID", id)
	}
	stranger := w.device("Stranger", "eve@example.org")
	stranger.call("GET", "/users/TestUser6/events", "", 404)
	(&client{w: w}).call("GET", "/users/TestUser6/events", "", 401)
}

// [SPEC H3] A revoked device's stream says so and ends; its next request is answered 204.
func TestEventsOfARevokedDevice(t *testing.T) {
	w := newWorld(t)
	one, two := w.pair()
	f := two.follow("")
	f.until("ready")
	one.revoke(two)
	if e := f.until("bye"); !strings.Contains(e.data, `"code":4503`) {
		t.Errorf("%+v", e)
	}
	if e, ok := f.next(); ok {
		t.Errorf("after bye: %+v", e)
	}
	two.call("GET", "/users/TestUser6/events", "", 204)
}

// [SPEC H2] A long-poll answers as soon as there is something, or 304 after its wait.
func TestLongPoll(t *testing.T) {
	w := newWorld(t)
	one, two := w.pair()
	var head struct {
		Epoch    string `json:"epoch"`
		Revision uint64 `json:"revision"`
	}
	body := one.call("PATCH", "/users/TestUser6/settings", `{"billing":{"salary":1}}`, 200)
	if err := json.Unmarshal([]byte(body), &head); err != nil {
		t.Fatal(err)
	}
	poll := func(since, wait string, status int) (string, http.Header) {
		t.Helper()
		got, text, h := two.try("GET", "/users/TestUser6/settings?since="+since+wait, "")
		if got != status {
			t.Fatalf("since %s: %d %s, want %d", since, got, text, status)
		}
		return text, h
	}
	text, h := poll(head.Epoch+".0", "&wait=20", 200)
	if !strings.Contains(text, `"from":0,"revision":1,"values":{"billing":{"salary":{"value":1`) || h.Get("ETag") != `"`+head.Epoch+`.1"` {
		t.Errorf("behind: %s %s", text, h.Get("ETag"))
	}
	if text, _ = poll("other.5", "&wait=20", 200); !strings.Contains(text, `"from":0,"revision":1,`) {
		t.Errorf("another epoch: %s", text)
	}
	if text, _ = poll(head.Epoch+".99", "", 200); !strings.Contains(text, `"from":0,"revision":1,`) {
		t.Errorf("ahead: %s", text)
	}
	poll(head.Epoch+".1", "", 304)
	poll(head.Epoch+".1", "&wait=1", 304)
	poll("", "", 400)
	poll("x", "", 400)
	poll(head.Epoch+".1", "&wait=long", 400)
	if online := one.call("GET", "/users/TestUser6/devices", "", 200); strings.Contains(online, `"online":true`) {
		t.Errorf("a poll counts as online: %s", online)
	}

	answered := make(chan string)
	go func() {
		text, _ := poll(head.Epoch+".1", "&wait=20", 200)
		answered <- text
	}()
	for _, hubs := w.hubs.Sessions(); hubs == 0; _, hubs = w.hubs.Sessions() {
	}
	one.call("PATCH", "/users/TestUser6/settings", `{"billing":{"salary":2}}`, 200)
	if text := <-answered; !strings.Contains(text, `"from":1,"revision":2,`) {
		t.Errorf("while waiting: %s", text)
	}
}
