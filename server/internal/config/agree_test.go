package config

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// Fault B6: two values that are fine alone and wrong together. The start is
// refused in one line that names both variables.
func TestContradictions(t *testing.T) {
	for env, named := range map[string][2]string{
		"ACCESS_TOKEN_TTL=1m AUTH_DUE_LEAD=120s":                              {"AUTH_DUE_LEAD", "ACCESS_TOKEN_TTL"},
		"ACCESS_TOKEN_TTL=1m AUTH_DUE_LEAD=31s":                               {"AUTH_DUE_LEAD", "ACCESS_TOKEN_TTL"},
		"AUTH_DUE_LEAD=1h":                                                    {"AUTH_DUE_LEAD", "ACCESS_TOKEN_TTL"},
		"LOGIN_TTL=10m":                                                       {"LOGIN_TTL", "ACCESS_TOKEN_TTL"},
		"LOGIN_TTL=15m":                                                       {"LOGIN_TTL", "ACCESS_TOKEN_TTL"},
		"REFRESH_TOKEN_TTL=15m":                                               {"REFRESH_TOKEN_TTL", "ACCESS_TOKEN_TTL"},
		"MAX_WAITING_SOCKETS=10":                                              {"MAX_WAITING_PER_ADDRESS", "MAX_WAITING_SOCKETS"},
		"MAX_WAITING_PER_ADDRESS=1001":                                        {"MAX_WAITING_PER_ADDRESS", "MAX_WAITING_SOCKETS"},
		"LOGIN_FAILURES_PER_MINUTE=9":                                         {"LOGIN_FAILURES_PER_MINUTE", "LOGIN_FAILURES"},
		"FRAMES_PER_SECOND=61":                                                {"FRAME_BURST", "FRAMES_PER_SECOND"},
		"MAX_FRAME_BYTES=8192":                                                {"MAX_VALUE_BYTES", "MAX_FRAME_BYTES"},
		"MAX_VALUE_BYTES=400000 MAX_FRAME_BYTES=1000000":                      {"MAX_BYTES_PER_USER", "MAX_VALUE_BYTES"},
		"SHUTDOWN_TIMEOUT=10s DRAIN_WINDOW=6s":                                {"DRAIN_WINDOW", "SHUTDOWN_TIMEOUT"},
		"LISTEN_ADDR=localhost:9090 METRICS_ADDR=localhost:9090":              {"METRICS_ADDR", "LISTEN_ADDR"},
		"JWT_SECRET=" + goodSecret + " JWT_SECRET_FILE=key":                   {"JWT_SECRET_FILE", "JWT_SECRET"},
		"JWT_SECRET_PREVIOUS=" + goodSecret + " JWT_SECRET_PREVIOUS_FILE=key": {"JWT_SECRET_PREVIOUS_FILE", "JWT_SECRET_PREVIOUS"},
	} {
		_, err := Load(noDotenv, strings.Fields(env))
		checkRefusal(t, err, named[0])
		if err != nil && !strings.Contains(err.Error(), " "+named[1]) {
			t.Errorf("%s: %v; want it to name %s", env, err, named[1])
		}
	}
}

// Values that look contradictory, and are not.
func TestNoContradictions(t *testing.T) {
	for _, env := range []string{
		"PING_INTERVAL=300ms PONG_TIMEOUT=10s", "WRITE_TIMEOUT=1m SHUTDOWN_TIMEOUT=1s", "REFRESH_TOKEN_TTL=720h LOGIN_TTL=24h",
		"ANSWERS_KEEP=2160h HISTORY_KEEP=1h", "LOGINS_PER_MINUTE=100000", "LOGIN_FAILURES=10 LOGIN_FAILURES_PER_MINUTE=10",
		"MAX_WAITING_SOCKETS=20", "ACCESS_TOKEN_TTL=1m AUTH_DUE_LEAD=30s", "LOGIN_TTL=15m1s",
		"LISTEN_ADDR=localhost:0 METRICS_ADDR=localhost:0", "HISTORY_KEEP_COUNT=1 MAX_KEYS_PER_USER=512",
	} {
		if _, err := Load(noDotenv, strings.Fields(env)); err != nil {
			t.Errorf("%s: %v", env, err)
		}
	}
}

// [SPEC A1] Fault B6: a notice longer than the token's life, which made every page
// renew it once a second. By itself it is at most half the life.
func TestAuthDueLead(t *testing.T) {
	for env, want := range map[string]time.Duration{
		"": 2 * time.Minute, "ACCESS_TOKEN_TTL=4m": 2 * time.Minute, "ACCESS_TOKEN_TTL=24h": 2 * time.Minute,
		"ACCESS_TOKEN_TTL=1m": 30 * time.Second, "ACCESS_TOKEN_TTL=1s": time.Second / 2, "ACCESS_TOKEN_TTL=24h AUTH_DUE_LEAD=1h": time.Hour,
	} {
		cfg, err := Load(noDotenv, strings.Fields(env))
		if err != nil || cfg.Timing.AuthDueLead != want {
			t.Errorf("%q: %v, %v, want %v", env, cfg.Timing.AuthDueLead, err, want)
		}
	}
}

// Fault E8: a long value. The refusal quotes no more than 200 characters of it.
func TestRefusalsAreBounded(t *testing.T) {
	long := strings.Repeat("é", 50_000)
	for _, v := range variables() {
		for _, value := range []string{long, "https://" + long, "localhost:" + long, long + ":1", "10.0.0.0/" + long} {
			_, err := Load(noDotenv, []string{v.name + "=" + value})
			if err != nil && strings.Count(err.Error(), "é") > 200 || utf8.RuneCountInString(text(err)) > 500 {
				t.Errorf("%s: %.300s…", v.name, err)
			}
		}
	}
	dotenv := t.TempDir() + "/.env"
	write(t, dotenv, strings.Repeat("X", 10_000)+"=1\n")
	if _, err := Load(dotenv, nil); err == nil || len(err.Error()) > 1000 {
		t.Errorf("%.300v…", err)
	}
	cfg, err := Load(noDotenv, []string{"DATA_DIR=" + t.TempDir() + "/" + long})
	if err != nil {
		t.Fatal(err)
	}
	if err := cfg.PrepareDataDir(); err == nil || utf8.RuneCountInString(err.Error()) > 500 {
		t.Errorf("%.300v…", err)
	}
}

// text returns what an error says; nil says nothing.
func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
