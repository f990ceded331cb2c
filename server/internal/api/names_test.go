package api_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// body encodes names and values, as they are, as JSON.
func body(pairs ...string) string {
	var members []string
	for i := 0; i < len(pairs); i += 2 {
		members = append(members, fmt.Sprintf(`"%s":"%s"`, pairs[i], pairs[i+1]))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// Faults B2, B3 and B5 (SPEC N1): over the wire, a name is the same in the body and in the
// address, composed or decomposed, in any case, with space around it; answers
// have the spelling that is stored.
func TestNamesOverTheWire(t *testing.T) {
	w := newWorld(t)
	nobody := &client{w: w}
	nobody.call("POST", "/register", body("deviceName", " Cafe\u0301\u00a0Laptop ", "email", "zoë@bücher.example ", "password", "tide o\u0308ver marble"), 201)
	nobody.call("POST", "/register", body("deviceName", "CAFÉ laptop", "email", "x@example.com", "password", "tide over marble"), 409)
	text := nobody.call("POST", "/login", body("deviceName", "café laptop\u00a0", "password", "tide över\u00a0marble"), 200)
	if !strings.Contains(text, `"name":"Café Laptop"`) {
		t.Errorf("logged in as %s", text)
	}
	me := &client{w: w, token: strings.Split(strings.SplitAfter(text, `"accessToken":"`)[1], `"`)[0]}
	if got := me.call("PATCH", "/devices/me", body("name", "Cafe\u0301\\t"), 200); !strings.Contains(got, `"name":"Café"`) {
		t.Errorf("renamed: %s", got)
	}
	me.call("PATCH", "/devices/me", body("name", "a\u202eb"), 422)

	for stored, spellings := range map[string][]string{
		"Zoë":       {" Zoe\u0308 ", "ZOË", "zoe\u0308", "zoë "},
		"हिन्दी":    {"हिन्दी\u00a0"},
		"مُحَمَّد":  {"مُحَمَّد "},
		"தமிழ்":     {"\tதமிழ்"},
		"น้ำ":       {"น้ำ"},
		"می\u200cم": {"می\u200cم", "میم"},
	} {
		if got := me.call("POST", "/users", body("username", strings.ReplaceAll(spellings[0], "\t", "\\t")), 201); !strings.Contains(got, `"username":"`+stored+`"`) {
			t.Errorf("%+q is stored as %s", spellings[0], got)
		}
		for _, name := range append(spellings, stored) {
			user := "/users/" + url.PathEscape(name)
			me.call("POST", "/users", body("username", strings.TrimSpace(name)), 409)
			me.call("GET", user+"/devices", "", 200)
			me.call("GET", user+"/settings", "", 200)
			me.call("GET", user+"/asks", "", 200)
			me.call("GET", user+"/export", "", 200)
			if got := me.call("POST", user+"/join", "", 200); !strings.Contains(got, `"username":"`+stored+`"`) {
				t.Errorf("joining %+q: %s", name, got)
			}
			ws, _, err := websocket.DefaultDialer.DialContext(t.Context(), me.url(url.PathEscape(name)), nil)
			if err != nil {
				t.Fatal(err)
			}
			s := &socket{t, ws}
			s.send(fmt.Sprintf(`{"type":"hello","token":%q}`, me.token))
			if got := s.until("welcome"); !strings.Contains(got, `"username":"`+stored+`"`) {
				t.Errorf("%+q is welcomed as %s", name, got)
			}
			ws.Close()
		}
	}
	for _, name := range []string{"a\u202eb", "a\u2066b", "a\u200db", "\u3164"} {
		me.call("POST", "/users", body("username", name), 422)
	}
}

// Guesses at a name count together in all its spellings.
func TestGuessingInManySpellings(t *testing.T) {
	w := newWorld(t, func(s *shape) { s.limits.Failures = 10 })
	nobody := &client{w: w}
	nobody.call("POST", "/register", body("deviceName", "café", "email", "a@bücher.example", "password", "tide over marble"), 201)
	for path, spellings := range map[string][]string{
		`/login {"password":"not it","deviceName":"%s"}`:                              {"café", "cafe\u0301", " CAFÉ", "caf\u00c9\u00a0", "cafe\u0301\ufe0f"},
		`/login {"password":"not it","deviceName":"%s" }`:                             {"nobody", "Nobody ", "\u00a0nobody", "NOBODY", "nobo\u200ddy"},
		`/register {"deviceName":"thief","password":"not its password","email":"%s"}`: {"a@bücher.example", "a@bu\u0308cher.example", "A@xn--bcher-kva.example", " a@bücher.example", "a@BÜCHER.example\u00a0"},
	} {
		path, format, _ := strings.Cut(path, " ")
		refused := 0
		for i := range 30 {
			if status, _, _ := nobody.try("POST", path, fmt.Sprintf(format, spellings[i%len(spellings)])); status == 429 {
				refused++
			} else if status != 401 {
				t.Errorf("%s: %d", path, status)
			}
		}
		if refused != 20 {
			t.Errorf("%s %s: %d of 30 guesses were refused, want 20", path, format, refused)
		}
	}
}
