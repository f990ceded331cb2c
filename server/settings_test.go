package main

import (
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"social-server/internal/config"
)

// exampleLine is a variable in .env.example.
var exampleLine = regexp.MustCompile(`(?m)^#([A-Z_]+)=(.*)$`)

// otherSettings is for each variable a legal value that is not its default, and
// what it cannot do without: lines of a .env file.
func otherSettings(t *testing.T, services []string) map[string]string {
	t.Helper()
	cert, key := writeCertificate(t, "sync.example.org")
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "a file")
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return "'" + path + "'"
	}
	const secret, former = "kZ3v9QpXw7Lr2TnB8sYc5HdJ6mFg4Aey", "Qe7Rt1Yu5Io9Pa3Sd8Fg2Hj6Kl4Zx0Cv"
	tls := fmt.Sprintf("TLS_CERT_FILE='%s'\nTLS_KEY_FILE='%s'", cert, key)
	given := map[string]string{}
	for _, pair := range services {
		name, value, _ := strings.Cut(pair, "=")
		given[name] = value
	}
	database := "JWT_SECRET=" + secret + "\nDATABASE_URL='" + given["DATABASE_URL"] + "'"
	return map[string]string{
		"LISTEN_ADDR": "LISTEN_ADDR=[::1]:" + freePort(t), "TLS_CERT_FILE": tls, "TLS_KEY_FILE": tls,
		"TRUSTED_PROXIES": "TRUSTED_PROXIES=10.0.0.0/8, 192.0.2.1", "ALLOW_PLAIN_HTTP": "ALLOW_PLAIN_HTTP=1",
		"DATA_DIR": "DATA_DIR='my data/$1'", "DATABASE_URL": database,
		"DATABASE_URL_FILE":    "JWT_SECRET=" + secret + "\nDATABASE_URL_FILE=" + file(given["DATABASE_URL"]),
		"DATABASE_CONNECTIONS": database + "\nDATABASE_CONNECTIONS=5",
		"REDIS_URL":            database + "\nDRAIN_WINDOW=0s\nREDIS_URL='" + given["REDIS_URL"] + "'",
		"REDIS_URL_FILE":       database + "\nDRAIN_WINDOW=0s\nREDIS_URL_FILE=" + file(given["REDIS_URL"]),
		"SETTINGS_SCHEMA":      "SETTINGS_SCHEMA=" + file(schemaOfOurOwn),
		"JWT_SECRET":           "JWT_SECRET=" + secret, "JWT_SECRET_FILE": "JWT_SECRET_FILE=" + file(secret),
		"JWT_SECRET_PREVIOUS":      "JWT_SECRET_PREVIOUS=" + former,
		"JWT_SECRET_PREVIOUS_FILE": "JWT_SECRET_PREVIOUS_FILE=" + file(former),
		"ALLOWED_ORIGINS":          "ALLOWED_ORIGINS=https://a.example, http://b.example:8080", "ALLOWED_HOSTS": "ALLOWED_HOSTS=sync.example.org",
		"REGISTRATION": "REGISTRATION=closed", "PASSWORD_MIN_LENGTH": "PASSWORD_MIN_LENGTH=15",
		"ACCESS_TOKEN_TTL": "ACCESS_TOKEN_TTL=30m", "REFRESH_TOKEN_TTL": "REFRESH_TOKEN_TTL=48h", "LOGIN_TTL": "LOGIN_TTL=800h",
		"LOGIN_FAILURES": "LOGIN_FAILURES=5", "LOGINS_PER_MINUTE": "LOGINS_PER_MINUTE=10", "LOGIN_FAILURES_PER_MINUTE": "LOGIN_FAILURES_PER_MINUTE=100",
		"LOG_LEVEL": "LOG_LEVEL=debug", "LOG_FORMAT": "LOG_FORMAT=json", "METRICS_ADDR": "METRICS_ADDR=127.0.0.1:0",
		"SHUTDOWN_TIMEOUT": "SHUTDOWN_TIMEOUT=5s", "DRAIN_WINDOW": "DRAIN_WINDOW=100ms",
		"MAX_FRAME_BYTES": "MAX_FRAME_BYTES=65536", "MAX_VALUE_BYTES": "MAX_VALUE_BYTES=4096", "MAX_KEYS_PER_USER": "MAX_KEYS_PER_USER=100",
		"MAX_BYTES_PER_USER": "MAX_BYTES_PER_USER=100000", "FRAMES_PER_SECOND": "FRAMES_PER_SECOND=20", "FRAME_BURST": "FRAME_BURST=100",
		"FRAME_EXCESS": "FRAME_EXCESS=100", "MAX_WAITING_SOCKETS": "MAX_WAITING_SOCKETS=100", "MAX_WAITING_PER_ADDRESS": "MAX_WAITING_PER_ADDRESS=5",
		"MAX_CONNECTIONS_PER_ADDRESS": "MAX_CONNECTIONS_PER_ADDRESS=100",
		"MAX_SESSIONS_PER_DEVICE":     "MAX_SESSIONS_PER_DEVICE=4", "MAX_DEVICES_PER_USER": "MAX_DEVICES_PER_USER=5",
		"MAX_DEVICES_PER_ACCOUNT": "MAX_DEVICES_PER_ACCOUNT=10", "MAX_USERS_PER_ACCOUNT": "MAX_USERS_PER_ACCOUNT=10",
		"HELLO_TIMEOUT": "HELLO_TIMEOUT=3s", "PING_INTERVAL": "PING_INTERVAL=20s", "PONG_TIMEOUT": "PONG_TIMEOUT=5s", "WRITE_TIMEOUT": "WRITE_TIMEOUT=4s",
		"AUTH_DUE_LEAD": "AUTH_DUE_LEAD=60s", "ANSWERS_KEEP": "ANSWERS_KEEP=48h", "HISTORY_KEEP": "HISTORY_KEEP=48h", "HISTORY_KEEP_COUNT": "HISTORY_KEEP_COUNT=100",
	}
}

// Each setting of .env.example is changed to something legal, by itself: the
// server starts, is ready and healthy, and stops with exit code 0.
func TestEverySetting(t *testing.T) {
	_, _, env := services(t)
	others := otherSettings(t, env)
	lines := exampleLine.FindAllStringSubmatch(config.Example(), -1)
	if len(others) != len(lines) {
		t.Errorf("%d settings for %d variables", len(others), len(lines))
	}
	t.Run("each", func(t *testing.T) {
		for _, line := range lines {
			name, fallback := line[1], line[2]
			changed := others[name]
			if !strings.Contains("\n"+changed, "\n"+name+"=") || strings.Contains(changed+"\n", name+"="+fallback+"\n") {
				t.Errorf("%s has no other value to be tried with", name)
				continue
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				if name != "LISTEN_ADDR" {
					changed += "\nLISTEN_ADDR=localhost:" + freePort(t)
				}
				if err := os.WriteFile(filepath.Join(dir, ".env"), []byte(config.Example()+changed+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				s := serveIn(t, dir, nil)
				if text, healthy := runCommand(t, dir, nil, "healthcheck"); !healthy {
					t.Errorf("healthcheck: %s\n%s", text, s.out)
				}
				s.end(t, syscall.SIGTERM)
			})
		}
	})
}

// Fault D8: the address of the server, as its own machine dials it, has no name
// that would have to be resolved, and it is one that the server listens on.
func TestOwnAddressHasNoName(t *testing.T) {
	port := freePort(t)
	for listen, want := range map[string]string{
		"localhost:": "127.0.0.1", "LOCALHOST:": "127.0.0.1", ":": "127.0.0.1", "0.0.0.0:": "127.0.0.1", "[::]:": "::1",
		"127.0.0.1:": "127.0.0.1", "127.9.8.7:": "127.9.8.7", "[::1]:": "::1",
	} {
		t.Run(listen, func(t *testing.T) {
			env := []string{"LISTEN_ADDR=" + listen + port, "ALLOW_PLAIN_HTTP=1"}
			cfg, err := config.Load("no-such.env", env)
			if err != nil {
				t.Fatal(err)
			}
			own, err := url.Parse(ownURL(cfg))
			if err != nil {
				t.Fatal(err)
			}
			if host, err := netip.ParseAddr(own.Hostname()); err != nil || host.String() != want || own.Port() != port {
				t.Errorf("%s, want %s", own, want)
			}
			dir := t.TempDir()
			s := serveIn(t, dir, env)
			if text, healthy := runCommand(t, dir, append(env, "HTTP_PROXY=http://127.0.0.1:1"), "healthcheck"); !healthy {
				t.Errorf("healthcheck: %s", text)
			}
			s.end(t, syscall.SIGTERM)
		})
	}
}
