package api_test

import (
	"strings"
	"testing"
)

// TestPasswordChangeEndsOtherSessions at once: the sockets of the other devices
// close, their tokens are worth nothing, and the device that asked goes on.
func TestPasswordChangeEndsOtherSessions(t *testing.T) {
	w := newWorld(t)
	one, two := w.pair()
	mine, other := one.join(""), two.join("")
	one.call("POST", "/password", `{"current":"correct horse","new":"mule by moonlight"}`, 204)
	if got := other.end(); got != "4501 signed out" {
		t.Errorf("the other device: %s", got)
	}
	two.call("GET", "/users", "", 401)
	mine.send(`{"type":"patch","id":"p1","set":{"billing":{"salary":3000}}}`)
	mine.until("ack")
	one.call("GET", "/users", "", 200)
}

// TestCopiedTokenEndsSessions: a refresh token that comes twice ends the live
// sessions of its log-in too (SEC-16).
func TestCopiedTokenEndsSessions(t *testing.T) {
	w := newWorld(t)
	one, _ := w.pair()
	login := one.call("POST", "/login", `{"deviceName":"Chrome.test6","password":"correct horse"}`, 200)
	refresh := func(token string, status int) string {
		return one.call("POST", "/refresh", `{"refreshToken":"`+token+`"}`, status)
	}
	member := func(text, name string) string {
		return strings.Split(strings.SplitAfter(text, `"`+name+`":"`)[1], `"`)[0]
	}
	stolen := member(login, "refreshToken")
	second := refresh(stolen, 200)
	third := refresh(member(second, "refreshToken"), 200)
	thief := &client{w: w, name: one.name, token: member(third, "accessToken")}
	live := thief.join("")
	refresh(stolen, 401)
	if got := live.end(); got != "4501 signed out" {
		t.Errorf("the session ended with %s", got)
	}
	thief.call("GET", "/users", "", 401)
	refresh(member(third, "refreshToken"), 401)
}

// TestGuessingTheCurrentPassword with a stolen access token is slowed down, and
// strangers who guess at the log-in do not slow the owner down here.
func TestGuessingTheCurrentPassword(t *testing.T) {
	w := newWorld(t, func(s *shape) { s.limits.Failures = 5 })
	one, _ := w.pair()
	for range 20 {
		one.try("POST", "/login", `{"deviceName":"Firefox.test6","password":"a guess"}`)
	}
	for i := range 8 {
		want := 403
		if i >= 5 {
			want = 429
		}
		if got, text, h := one.try("POST", "/password", `{"current":"a guess","new":"mule by moonlight"}`); got != want || (h.Get("Retry-After") != "") != (want == 429) {
			t.Errorf("guess %d: %d %s, want %d", i, got, text, want)
		}
	}
}
