package api_test

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// socketAttacks are sent right after the upgrade, without a token.
func (x *target) socketAttacks() []row {
	hello := func(token string) []byte { return text(fmt.Sprintf(`{"type":"hello","token":%q}`, token)) }
	mine := hello(x.one.token)
	after := func(payload string) []byte { return join(mine, text(payload)) }
	flood := join(mine)
	for range 500 {
		flood = append(flood, text(`{"type":"pong","seen":0}`)...)
	}
	return []row{
		{"hello without a token", text(`{"type":"hello"}`), "close:4501"},
		{"hello with a bad token", hello("x.y.z"), "close:4501"},
		{"hello with a token spelt otherwise", hello(respelt(x.one.token)), "close:4501"},
		{"hello by a stranger", hello(x.stranger.token), "close:4506"},
		{"hello with another's device", text(`{"type":"hello","token":"` + x.one.token + `","device":"` + x.two.id + `"}`), "close:4500"},
		{"hello of 5 KiB", hello(strings.Repeat("x", 5<<10)), "close:1009"},
		{"hello in binary", frame(0x82, `{"type":"hello"}`), "close:1003"},
		{"hello in bad UTF-8", text("{\"type\":\"hello\",\"token\":\"\xff\"}"), "close:1007"},
		{"hello that says nothing in time", nil, "close:4501"},
		{"a patch first", text(`{"type":"patch","id":"p","set":{"billing":{"salary":1}}}`), "close:4500"},
		{"garbage first", text("GET / HTTP/1.1"), "close:4500"},
		{"hello twice", join(mine, mine), "close:4500"},
		{"hello with a name twice", text(`{"type":"hello","type":"hello"}`), "close:4500"},
		{"hello with a negative revision", text(`{"type":"hello","token":"` + x.one.token + `","resume":{"epoch":"x","revision":-1}}`), "close:4500"},
		{"an unknown type", after(`{"type":"shout"}`), "close:4500"},
		{"a server's type", after(`{"type":"change","epoch":"x","from":0,"revision":9,"values":{}}`), "close:4500"},
		{"a type in another case", after(`{"type":"Sync","revision":0}`), "close:4500"},
		{"no type", after(`{"revision":0}`), "close:4500"},
		{"two objects in a frame", after(syncAll + syncAll), "close:4500"},
		{"an array", after(`[` + syncAll + `]`), "close:4500"},
		{"a member too many", after(`{"type":"sync","revision":0,"user":"Other"}`), "close:4500"},
		{"a user that is another", after(`{"type":"focus","field":"x","username":"Other"}`), "close:4500"},
		{"a lone surrogate", after(`{"type":"focus","field":"\ud800"}`), "close:4500"},
		{"a hundred levels", after(`{"type":"focus","field":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`), "close:4500"},
		{"a patch without an id", after(`{"type":"patch","set":{}}`), "close:4500"},
		{"a stranger's token later", after(fmt.Sprintf(`{"type":"auth","token":%q}`, x.stranger.token)), "close:4501"},
		{"another device's token later", after(fmt.Sprintf(`{"type":"auth","token":%q}`, x.two.token)), "close:4501"},
		{"a token spelt otherwise later", after(fmt.Sprintf(`{"type":"auth","token":%q}`, respelt(x.one.token))), "close:4501"},
		{"a bad token later", after(`{"type":"auth","token":"x"}`), "close:4501"},
		{"an empty frame", join(mine, text("")), "close:4500"},
		{"binary later", join(mine, frame(0x82, "x")), "close:1003"},
		{"bad UTF-8 later", join(mine, text("\xc0\x80")), "close:1007"},
		{"40 KiB later", join(mine, text(padded(40<<10))), "close:1009"},
		{"40 KiB in fragments", join(mine, pieces(padded(40<<10), 1000)), "close:1009"},
		{"an unmasked frame", join(mine, unmasked(0x81, syncAll)), "close:1002"},
		{"a compressed frame", join(mine, frame(0xc1, syncAll)), "close:1002"},
		{"a length of 2⁶³", join(mine, []byte{0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}), "close:1009"},
		{"a close nobody may send", join(mine, frame(0x88, closing(1005, ""))), "close:1002"},
		{"a flood without rest", flood, "close:4004"},
	}
}

// digest is the state that attacks must not change: settings, members, devices
// and history, as their owners see them, without times of last sight.
// It leaves out who is online: sockets of attacks may just be closing.
func (x *target) digest() string {
	online := regexp.MustCompile(`"online":\d+`)
	sum := sha256.New()
	for _, c := range []*client{x.one, x.stranger} {
		for _, path := range []string{"/users", "/users/TestUser6/settings", "/users/Other/settings", "/users/TestUser6/history"} {
			_, text, _ := c.try("GET", path, "")
			fmt.Fprintln(sum, path, online.ReplaceAllString(text, ""))
		}
		_, text, _ := c.try("GET", "/devices", "")
		for _, part := range strings.Split(text, ",") {
			if !strings.Contains(part, "lastSeen") && !strings.Contains(part, "online") {
				fmt.Fprintln(sum, part)
			}
		}
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}

// TestHostileInputs: every attack gets its exact answer; afterwards the log is
// clean, another user's devices sync as before, and nothing has changed.
func TestHostileInputs(t *testing.T) {
	w := newWorld(t, func(s *shape) {
		s.limits.Failures, s.limits.Tries, s.limits.AllFailures = 1<<20, 1<<20, 1<<20
		s.wire.HelloWithin, s.hub.SessionsPerDevice = time.Second, 1000
	})
	one, two := w.pair()
	x := &target{w, one, two, w.device("Stranger", "eve@example.org")}
	x.stranger.call("POST", "/users", `{"username":"Other"}`, 201)
	one.call("PATCH", "/users/TestUser6/settings", `{"billing":{"salary":3000}}`, 200)
	bystander := x.stranger
	other := bystander.joinTo("Other")
	before := x.digest()

	all := 0
	for group, attacks := range map[string][]attack{
		"auth": x.authAttacks(t), "json": x.jsonAttacks(), "settings": x.settingAttacks(),
		"paths": x.pathAttacks(), "headers": x.headerAttacks(), "upgrades": x.upgradeAttacks(),
	} {
		all += len(attacks)
		t.Run(group, func(t *testing.T) {
			for _, a := range attacks {
				if status, body := w.send(t, a.request); status != a.status || status >= 400 && strings.Contains(body, "goroutine") {
					t.Errorf("%s: %d %.200s, want %d", a.name, status, body, a.status)
				}
			}
		})
	}
	t.Run("sockets", func(t *testing.T) {
		rows := x.socketAttacks()
		all += len(rows)
		for _, row := range rows {
			s, status := one.dialRaw()
			if status != 101 {
				t.Fatalf("%s: upgrade %d", row.name, status)
			}
			s.t = t
			s.write(row.send)
			if got := s.outcome(); got[max(0, strings.LastIndex(got, "close")):] != row.want {
				t.Errorf("%s: %q, want %q", row.name, got, row.want)
			}
			_ = s.conn.Close()
		}
	})
	if all < 150 {
		t.Errorf("%d rows", all)
	}
	t.Logf("%d rows", all)
	if after := x.digest(); after != before {
		t.Errorf("the state changed: %s, %s", before, after)
	}
	other.send(`{"type":"patch","id":"still","set":{"billing":{"salary":1}}}`)
	other.until("change")
	other.until("ack")
	x.checkLog(t)
}

// joinTo is join for a user of any name.
func (c *client) joinTo(user string) *socket {
	c.w.t.Helper()
	s := &socket{c.w.t, c.dialTo(user)}
	s.send(fmt.Sprintf(`{"type":"hello","token":%q}`, c.token))
	s.until("ready")
	return s
}

// checkLog fails if an attack was logged as our fault, or a secret was logged.
func (x *target) checkLog(t *testing.T) {
	t.Helper()
	for line := range strings.Lines(x.log.String()) {
		for _, bad := range []string{
			"level=ERROR", "panic", "goroutine ", "correct horse", "$argon2", x.one.token, x.two.token, x.stranger.token,
			strings.Split(x.one.token, ".")[2], "kkkkkkkk", "eve@example.org",
		} {
			if strings.Contains(line, bad) {
				t.Errorf("logged %.300s", line)
			}
		}
		if strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\r\x00\x1b") {
			t.Errorf("a line of the log has a control character: %q", line)
		}
	}
}
