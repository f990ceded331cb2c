package main

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// getUnder requests a URL under another host name, as a page does whose name
// resolves to this machine.
func getUnder(t *testing.T, url, host string) (status int, kind string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header.Get("Content-Type")
}

// Fault E4: every host name was answered on loopback, on the metrics' port too.
func TestForeignHostNames(t *testing.T) {
	machine, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		env             []string
		inside, outside map[string]int // by host name, on the metrics' port and the public one
	}{
		"as it is": {nil,
			map[string]int{"localhost": 200, "127.0.0.1": 200, machine: 200, "evil.example": 421, "sync.example.org": 421},
			map[string]int{"localhost": 200, "127.0.0.1": 200, machine: 200, "evil.example": 421, "sync.example.org": 421}},
		"on every address": {[]string{"LISTEN_ADDR=0.0.0.0:0", "ALLOW_PLAIN_HTTP=1"},
			map[string]int{"evil.example": 421},
			map[string]int{"localhost": 200, "evil.example": 421}},
		"with names": {[]string{"ALLOWED_HOSTS=Sync.example.org", "ALLOWED_ORIGINS=https://app.example.org:8443"},
			map[string]int{"sync.example.org": 200, "app.example.org": 200, "evil.example": 421},
			map[string]int{"sync.example.org": 200, "app.example.org": 200, "evil.example": 421}},
		"behind a proxy": {[]string{"TRUSTED_PROXIES=127.0.0.1,::1"}, // it passes nothing on to the metrics
			map[string]int{"localhost": 200, "evil.example": 421},
			map[string]int{"localhost": 200, "sync.example.org": 200}},
	} {
		t.Run(name, func(t *testing.T) {
			metrics := net.JoinHostPort("127.0.0.1", freePort(t))
			r := runServer(t, filepath.Join(t.TempDir(), "data"), append(tt.env, "METRICS_ADDR="+metrics)...)
			defer r.end(t)
			public := strings.Replace(r.url, "localhost", "127.0.0.1", 1)
			for url, wanted := range map[string]map[string]int{
				"http://" + metrics + "/metrics": tt.inside, public + "/healthz": tt.outside, public + "/": tt.outside,
			} {
				for host, want := range wanted {
					status, kind := getUnder(t, url, host)
					if status != want && (want != 200 || status == 421) || want == 421 && kind != "application/problem+json" {
						t.Errorf("%s under %s: %d %s, want %d", url, host, status, kind, want)
					}
				}
			}
		})
	}
}
