package deploy

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"social-server/internal/backing"
	"social-server/internal/doctor"
)

var update = flag.Bool("update", false, "write nginx.conf instead of comparing it")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The file that docker-compose.yml mounts is the template.
func TestNginxIsTheTemplate(t *testing.T) {
	want, err := Compose().Nginx()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("nginx.conf", []byte(want), 0o644); err != nil { //nolint:gosec // a public file
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("nginx.conf is not what nginx.conf.tmpl says: run make generate")
	}
}

// balance starts nginx before some nodes.
func balance(t *testing.T, nodes ...string) string {
	t.Helper()
	n, err := backing.StartNginx(t.Context(), t.TempDir(), 0, func(home string, port int) (string, error) {
		return Balancer{Listen: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Nodes: nodes, Folder: home}.Nginx()
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
		if strings.Contains(n.Log(), "[emerg]") || strings.Contains(n.Log(), "[alert]") {
			t.Error(n.Log())
		}
	})
	return "http://" + n.Addr()
}

// node starts an HTTP server and returns it and its host:port.
func node(t *testing.T, handle http.HandlerFunc) (*httptest.Server, string) {
	t.Helper()
	s := httptest.NewServer(handle)
	t.Cleanup(s.Close)
	return s, strings.TrimPrefix(s.URL, "http://")
}

func get(t *testing.T, url string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

// A node that stops answers 503 and one that is gone nothing: neither is seen by
// anybody while another serves.
func TestNodesComeAndGo(t *testing.T) {
	_, good := node(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "served") })
	stopping, stops := node(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	url := balance(t, good, stops)
	check := func(when string) {
		t.Helper()
		for i := range 50 {
			if answer, text := get(t, url); text != "served" {
				t.Fatalf("%s, request %d: %s %s", when, i, answer.Status, text)
			}
		}
	}
	check("one is stopping")
	stopping.Close()
	check("one is gone")
}

// Without any node the answer is the one that devices know, and they come back.
func TestNoNode(t *testing.T) {
	gone, addr := node(t, nil)
	gone.Close()
	answer, text := get(t, balance(t, addr))
	if answer.StatusCode != 503 || answer.Header.Get("Retry-After") != "1" || !strings.Contains(text, `"code":"unavailable"`) ||
		answer.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s %v %s", answer.Status, answer.Header, text)
	}
}

// The node learns what it must: the host with its port, who asks and whether
// over TLS, whatever stands before nginx.
func TestWhatIsForwarded(t *testing.T) {
	_, addr := node(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s", r.Host, r.Header.Get("X-Forwarded-For"), r.Header.Get("X-Forwarded-Proto"))
	})
	url := balance(t, addr)
	host := strings.TrimPrefix(url, "http://")
	if _, text := get(t, url); text != host+" 127.0.0.1 http" {
		t.Error(text)
	}
	for _, proto := range []string{"https", "wss"} { // Fault C3: Traefik says wss
		if _, text := get(t, url, "X-Forwarded-For", "192.0.2.7", "X-Forwarded-Proto", proto); text != host+" 192.0.2.7, 127.0.0.1 https" {
			t.Error(text)
		}
	}
}

// An event goes out when it happens, not when a buffer is full.
func TestEventsAreNotHeldBack(t *testing.T) {
	next := make(chan string)
	_, addr := node(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for word := range next {
			fmt.Fprintf(w, "data: %s\n\n", word)
			_ = http.NewResponseController(w).Flush()
		}
	})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, balance(t, addr), nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() { next <- "one" }() // taken once the request is there
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	defer close(next)
	buffer := make([]byte, 64)
	for _, word := range []string{"one", "two"} {
		n, err := answer.Body.Read(buffer)
		if got := string(buffer[:n]); err != nil || got != "data: "+word+"\n\n" {
			t.Fatalf("%q %v", got, err)
		}
		if word == "one" {
			next <- "two"
		}
	}
}

// What the doctor tells people to write is what we write ourselves.
func TestNginxIsWhatTheDoctorOrders(t *testing.T) {
	text, err := Compose().Nginx()
	if err != nil {
		t.Fatal(err)
	}
	lines := doctor.NginxLines()
	if len(lines) < 6 {
		t.Errorf("the doctor knows %d lines", len(lines))
	}
	for _, line := range lines {
		if !strings.Contains(text, "\t"+line+"\n") {
			t.Errorf("nginx.conf lacks %q", line)
		}
	}
}

// nginx waits longer for an answer than the longest long-poll takes (SPEC H2).
func TestPatience(t *testing.T) {
	text, err := Compose().Nginx()
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(text, "proxy_read_timeout ")
	patience, err := time.ParseDuration(rest[:strings.Index(rest, ";")])
	if err != nil || patience < 75*time.Second {
		t.Errorf("nginx waits %v for an answer, a long-poll 60 s: %v", patience, err)
	}
}
