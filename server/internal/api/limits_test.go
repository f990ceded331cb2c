package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"social-server/internal/errs"
)

// from sends a log-in from an address, without a socket.
func (s *site) from(address, deviceName, password string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), http.MethodPost, "/api/v1/login",
		strings.NewReader(object("deviceName", deviceName, "password", password)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Forwarded-For", fmt.Sprint(s.clock().UnixNano())) // believed by nobody
	r.RemoteAddr = address + ":4711"
	w := httptest.NewRecorder()
	s.observe(s.dispatch("/login", map[string]http.HandlerFunc{http.MethodPost: s.handle(s.login)})).ServeHTTP(w, r)
	return w
}

// TestGuessingAtAName is slowed down wherever it comes from, and does not lock
// the owner out (SEC-9).
func TestGuessingAtAName(t *testing.T) {
	s := newSite(t)
	s.register("phone", "a@example.com")
	if got := s.from("192.0.2.1", "phone", password).Code; got != 200 {
		t.Fatalf("the owner's log-in = %d", got)
	}
	for _, name := range []string{"phone", "unknown"} { // one that exists, one that does not: no difference
		evaluated := 0
		for i := range 100 {
			w := s.from(fmt.Sprintf("198.51.100.%d", i%50), name, "guess number "+strconv.Itoa(i))
			switch w.Code {
			case 401:
				evaluated++
			case 429:
				if after, _ := strconv.Atoi(w.Header().Get("Retry-After")); after < 1 || after > 90 {
					t.Fatalf("Retry-After %q", w.Header().Get("Retry-After"))
				}
			default:
				t.Fatalf("a guess = %d", w.Code)
			}
		}
		if evaluated != 10 {
			t.Errorf("%d guesses at %s were looked at, want 10", evaluated, name)
		}
	}
	if got := s.from("192.0.2.1", "Phone", password).Code; got != 200 {
		t.Errorf("the owner, where they were before = %d", got)
	}
	if got := s.from("203.0.113.9", "phone", password).Code; got != 429 {
		t.Errorf("the right password from a new address = %d, want 429 for now", got)
	}
	s.advance(90 * time.Second) // a fifteen-minute bucket of ten gives one each 90 s
	if got := s.from("203.0.113.9", "phone", password).Code; got != 200 {
		t.Errorf("the same a little later = %d", got)
	}
}

// TestTheRightPasswordCostsNothing of the guesses of a name.
func TestTheRightPasswordCostsNothing(t *testing.T) {
	s := newSite(t)
	s.register("phone", "a@example.com")
	for i := range 50 {
		if got := s.from(fmt.Sprintf("192.0.2.%d", i), "phone", password).Code; got != 200 {
			t.Fatalf("log-in %d = %d", i, got)
		}
	}
}

// TestManyGuessesAtOnce: those in flight count.
func TestManyGuessesAtOnce(t *testing.T) {
	s := newSite(t)
	s.register("phone", "a@example.com")
	var evaluated atomic.Int64
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			if s.from(fmt.Sprintf("198.51.100.%d", i), "phone", "a guess").Code == 401 {
				evaluated.Add(1)
			}
		})
	}
	all.Wait()
	if got := evaluated.Load(); got != 10 {
		t.Errorf("%d guesses were looked at, want 10", got)
	}
}

// TestTriesOfAnAddress bounds one address whatever names it tries, and knows an
// IPv6 network as one.
func TestTriesOfAnAddress(t *testing.T) {
	for name, address := range map[string]func(i int) string{
		"IPv4": func(int) string { return "192.0.2.1" },
		"IPv6": func(i int) string { return fmt.Sprintf("[2001:db8::%x]", i+1) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(s *Server) { s.Limits.Tries = 20 })
			for i := range 40 {
				want := 401
				if i >= 20 {
					want = 429
				}
				if got := s.from(address(i), "name "+strconv.Itoa(i), "a guess").Code; got != want {
					t.Fatalf("try %d = %d, want %d", i, got, want)
				}
			}
			if got := s.from("[2001:db8:0:1::1]", "other", "a guess").Code; got != 401 {
				t.Errorf("another network = %d", got)
			}
			s.advance(3 * time.Second) // twenty a minute
			if got := s.from(address(0), "again", "a guess").Code; got != 401 {
				t.Errorf("three seconds later = %d", got)
			}
		})
	}
}

// TestGuessingByRegistering at an account's password is slowed down as well.
func TestGuessingByRegistering(t *testing.T) {
	s := newSite(t)
	s.register("phone", "a@example.com")
	evaluated := 0
	for i := range 30 {
		a := s.call("POST", "/api/v1/register",
			object("deviceName", "thief "+strconv.Itoa(i), "email", "A@example.com", "password", "guess number "+strconv.Itoa(i)))
		if a.status == 401 {
			evaluated++
		} else {
			a.want(t, "a guess too many", 429, "rate-limited")
		}
	}
	if evaluated != 10 {
		t.Errorf("%d guesses were looked at, want 10", evaluated)
	}
}

// TestManyDevicesFromOnePlace: a hundred devices register and log in from one
// address at once, when the limits allow it.
func TestManyDevicesFromOnePlace(t *testing.T) {
	s := newSite(t)
	for i := range 100 {
		s.device("device "+strconv.Itoa(i), strconv.Itoa(i/50)+"@example.com")
	}
}

func TestAddressOf(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:1234":           "192.0.2.1",
		"[::ffff:192.0.2.1]:1234":  "192.0.2.1",
		"[2001:db8:1:2:3::4]:1234": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:1234":      "fe80::/64",
		"@":                        "@",
		"not an address:1":         "not an address",
	} {
		if got := addressOf(&http.Request{RemoteAddr: remote}); got != want {
			t.Errorf("addressOf(%s) = %s, want %s", remote, got, want)
		}
	}
}

// TestGuardForgetsRatherThanGrows: its memory is bounded however many names
// there are, and however long.
func TestGuardForgetsRatherThanGrows(t *testing.T) {
	now := time.Unix(0, 0)
	g := newGuard(Limits{Tries: 1 << 30, AllFailures: 1 << 30, Now: func() time.Time { return now }})
	r := &http.Request{RemoteAddr: "192.0.2.1:1"}
	long := strings.Repeat("n", 1<<16)
	for i := range 3 * maxKeys / 2 {
		name := strconv.Itoa(i) + long
		try, err := g.admit(r, name, func() (string, error) { return name[:maxKey], nil })
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			err = errs.New(errs.Unauthorized, "wrong")
		}
		try.done(err)
	}
	if len(g.failures.each) > maxKeys || len(g.accounts.each) > maxKeys || len(g.known) > maxKeys {
		t.Errorf("%d names, %d accounts, %d known", len(g.failures.each), len(g.accounts.each), len(g.known))
	}
	for key := range g.failures.each {
		if len(key) > maxKey {
			t.Fatalf("a key of %d bytes", len(key))
		}
	}
}

// TestBucketAndTheClock: a clock that jumps back takes nothing away.
func TestBucketAndTheClock(t *testing.T) {
	b := newBuckets(byName, 2, time.Minute)
	now := time.Unix(1000, 0)
	for i, step := range []struct {
		after time.Duration
		want  time.Duration
	}{{0, 0}, {-time.Hour, 0}, {0, 30 * time.Second}, {15 * time.Second, 15 * time.Second}, {15 * time.Second, 0}, {time.Hour, 0}, {0, 0}, {0, 30 * time.Second}} {
		now = now.Add(step.after)
		if got := b.take("k", now); got != step.want {
			t.Errorf("step %d waits %v, want %v", i, got, step.want)
		}
	}
	b.giveBack("unknown")
	if len(b.each) != 1 {
		t.Error("giving back made a bucket")
	}
}

// TestGuessingAtAnAccount: ten thousand guesses, from as many addresses as one
// likes and at all device names of an account, come to at most a hundred looks
// at its password in an hour, and the owner logs in all the while (SEC-9).
func TestGuessingAtAnAccount(t *testing.T) {
	s := newSite(t, func(s *Server) { s.Limits.AllFailures = 1 << 20 })
	const devices, guesses = 20, 10_000
	for i := range devices {
		s.register("device "+strconv.Itoa(i), "a@example.com")
	}
	if got := s.from("192.0.2.1", "device 0", password).Code; got != 200 {
		t.Fatalf("the owner's log-in = %d", got)
	}
	evaluated := 0
	for i := range guesses {
		address := fmt.Sprintf("198.51.%d.%d", i/250%200, i%250)
		switch got := s.from(address, "device "+strconv.Itoa(i%devices), "guess number "+strconv.Itoa(i)).Code; got {
		case 401:
			evaluated++
		case 429:
		default:
			t.Fatalf("guess %d = %d", i, got)
		}
		if i%500 == 0 {
			if got := s.from("192.0.2.1", "device 0", password).Code; got != 200 {
				t.Fatalf("the owner, after %d guesses = %d", i, got)
			}
		}
		s.advance(time.Hour / (guesses + 1))
	}
	if evaluated > 100 || evaluated < 50 {
		t.Errorf("%d guesses were looked at in an hour, want at most 100 and not none", evaluated)
	}
	t.Logf("%d of %d guesses were looked at", evaluated, guesses)
}

// TestGuessesOfAllStrangers together are bounded, whatever they guess at; who is
// known at an address still gets in, and the rest soon after.
func TestGuessesOfAllStrangers(t *testing.T) {
	s := newSite(t, func(s *Server) { s.Limits.AllFailures = 50 })
	s.register("phone", "a@example.com")
	if got := s.from("192.0.2.1", "phone", password).Code; got != 200 {
		t.Fatalf("the owner's log-in = %d", got)
	}
	evaluated := 0
	for i := range 500 {
		if s.from(fmt.Sprintf("198.51.100.%d", i%250), "name "+strconv.Itoa(i), "a guess").Code == 401 {
			evaluated++
		}
	}
	if evaluated != 50 {
		t.Errorf("%d guesses of strangers were looked at, want 50", evaluated)
	}
	if got := s.from("192.0.2.1", "phone", password).Code; got != 200 {
		t.Errorf("the owner, where they were before = %d", got)
	}
	if got := s.from("203.0.113.9", "phone", password).Code; got != 429 {
		t.Errorf("somebody new meanwhile = %d", got)
	}
	s.advance(2 * time.Second)
	if got := s.from("203.0.113.9", "phone", password).Code; got != 200 {
		t.Errorf("somebody new, a little later = %d", got)
	}
}

// TestARefusalCostsNothing: a guess that one limit turns away does not use up
// the others, and is told of under the name of that one.
func TestARefusalCostsNothing(t *testing.T) {
	var told []string
	g := newGuard(Limits{
		Failures: 2, Tries: 1000, AllFailures: 100, Now: func() time.Time { return time.Unix(0, 0) },
		Limited: func(limiter string) { told = append(told, limiter) },
	})
	r := &http.Request{RemoteAddr: "192.0.2.1:1"}
	owner := func() (string, error) { return "a_1", nil }
	for i, name := range []string{"one", "one", "one", "two", "two", "three"} {
		_, err := g.admit(r, name, owner)
		if want := i == 2 || i == 5; (err != nil) != want { // two for a name, four for an account
			t.Errorf("guess %d at %s: %v", i, name, err)
		}
	}
	if want := []string{byName, byAccount}; !slices.Equal(told, want) {
		t.Errorf("told of %v, want %v", told, want)
	}
	if left := g.all.each[""].tokens; left != 96 {
		t.Errorf("%v tokens are left for all strangers, want 96", left)
	}
	if left := g.failures.each["three"].tokens; left != 2 {
		t.Errorf("%v tokens are left for three, want 2", left)
	}
	broken := errs.New(errs.Unavailable, "no database")
	if _, err := g.admit(r, "four", func() (string, error) { return "", broken }); err != broken {
		t.Errorf("without a database: %v", err)
	}
}
