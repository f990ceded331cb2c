package doctor

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A check is one line, whatever others said; what is to be copied follows it.
func TestExamine(t *testing.T) {
	var out strings.Builder
	err := Examine(t.Context(), []Check{
		{"first", func(context.Context) Finding { return Good("fine") }},
		{"second", func(context.Context) Finding { return Bad("they say\nno  more").with("line one\nline two") }},
		{"third", func(context.Context) Finding { return Doubtful("hm") }},
		{"fourth", func(context.Context) Finding { return passed("not now") }},
	}, &out)
	const want = `ok    first           fine
FAIL  second          they say no more
        line one
        line two
warn  third           hm
-     fourth          not now
`
	if out.String() != want {
		t.Errorf("printed\n%s", &out)
	}
	if err == nil || err.Error() != "1 of 4 checks failed" {
		t.Errorf("returned %v", err)
	}
	if err := Examine(t.Context(), []Check{{"one", func(context.Context) Finding { return Good("fine") }}}, full{}); err == nil {
		t.Error("nobody could read it, and nothing is said of that")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestDrift(t *testing.T) {
	for ahead, want := range map[time.Duration]Level{
		0: OK, 5 * time.Second: OK, -5 * time.Second: OK, 6 * time.Second: Warn, -time.Minute: Warn, 61 * time.Second: Fail, -time.Hour: Fail,
	} {
		if got := Drift(ahead, "another clock").Level; got != want {
			t.Errorf("%v ahead: %s, want %s", ahead, got, want)
		}
	}
}

func TestAddress(t *testing.T) {
	for _, text := range []string{"http://localhost:3000", "https://Sync.Example.org/", "https://[::1]:8443"} {
		a, err := NewAddress(text, nil)
		if err != nil || a.URL != strings.TrimSuffix(strings.ToLower(text), "/") || !strings.HasPrefix(a.socket("/x"), "ws") {
			t.Errorf("%s: %v %v", text, a, err)
		}
	}
	if a, err := NewAddress("https://a.example/Sync/", nil); err != nil || a.URL != "https://a.example/Sync" || a.prefix() != "/Sync" || a.origin != "https://a.example" {
		t.Errorf("with a path: %v %v", a, err)
	}
	for _, text := range []string{"", "localhost:3000", "ws://localhost", "https://", "https://a.example#b", "https://a.example?b", "https://me:pw@a.example", "https://a\x00"} {
		if _, err := NewAddress(text, nil); err == nil || strings.Contains(err.Error(), "pw") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Fault D8 in the doctor: a server on [::1] is found as localhost, though no
// hosts file gives localhost that address.
func TestLocalhostIsLoopback(t *testing.T) {
	for _, host := range []string{"127.0.0.1:0", "[::1]:0"} {
		listen, err := net.Listen("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		_, port, err := net.SplitHostPort(listen.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		a, err := NewAddress("http://localhost:"+port, nil)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := a.dial(t.Context(), "tcp", "localhost:"+port)
		if err != nil {
			t.Fatalf("%s: %v", host, err)
		}
		if !a.from().IsLoopback() {
			t.Errorf("%s: it comes from %v", host, a.from())
		}
		if err := errors.Join(conn.Close(), listen.Close()); err != nil {
			t.Error(err)
		}
	}
}

// What it means that the server saw an address, from where we are.
func TestJudge(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for name, tt := range map[string]struct {
		from, seen string
		trusted    []netip.Prefix
		want       Level
	}{
		"ours":                        {"203.0.113.5", "203.0.113.5", proxies, OK},
		"our network":                 {"2001:db8::5", "2001:db8::/64", proxies, OK},
		"through hops that are known": {"10.0.0.9", marker, proxies, OK},
		"whatever we say":             {"203.0.113.5", marker, proxies, Fail},
		"the proxy's":                 {"203.0.113.5", "10.0.0.1", proxies, Fail},
		"a proxy nobody told it of":   {"203.0.113.5", "172.17.0.1", nil, Fail},
		"perhaps our router's":        {"192.168.1.5", "203.0.113.5", proxies, Warn},
	} {
		v := &Visit{Public: &Address{local: netip.MustParseAddr(tt.from)}, Own: &Address{}, Trusted: tt.trusted}
		if got := v.judge(tt.seen); got.Level != tt.want {
			t.Errorf("%s: %+v, want %s", name, got, tt.want)
		}
	}
}
