package config

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

const (
	goodSecret = "kZ3v9QpXw7Lr2TnB8sYc5HdJ6mFg4Aey" // 32 bytes
	noDotenv   = "no-such-file.env"
)

func TestDefaults(t *testing.T) {
	cfg, err := Load(noDotenv, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		ListenAddr:     "localhost:3000",
		DataDir:        "./data",
		LogLevel:       slog.LevelInfo,
		LogFormat:      LogText,
		ShutdownWithin: 20 * time.Second,

		DatabaseConnections: 12,
		Accounts: Accounts{
			Registration:      RegistrationOpen,
			PasswordMinLength: 8,
			AccessTokenTTL:    15 * time.Minute,
			RefreshTokenTTL:   30 * day,
			LoginTTL:          90 * day,
			LoginFailures:     10,
			LoginsPerMinute:   30,
			FailuresPerMinute: 300,
		},
		Limits: Limits{ // the figures of SPEC V5, C8, E2 and E4
			FrameBytes:        32 << 10,
			ValueBytes:        8 << 10,
			KeysPerUser:       512,
			BytesPerUser:      256 << 10,
			FramesPerSecond:   30,
			FrameBurst:        60,
			FrameExcess:       300,
			Waiting:           1000,
			WaitingPerAddress: 20,
			SessionsPerDevice: 8,
			DevicesPerUser:    50,
			DevicesPerAccount: 100,
			UsersPerAccount:   100,
			HistoryPerUser:    10_000,

			ConnectionsPerAddress: 256,
		},
		Timing: Timing{ // those of SPEC C4, S6, S8, A1 and P5
			HelloWithin: 5 * time.Second,
			PingEvery:   25 * time.Second,
			PongWithin:  10 * time.Second,
			WriteWithin: 5 * time.Second,
			AuthDueLead: 2 * time.Minute,
			AnswersKeep: 30 * day,
			HistoryKeep: 90 * day,
		},
	}
	if !reflect.DeepEqual(cfg, want) {
		t.Errorf("Load of nothing\n got %+v\nwant %+v", cfg, want)
	}
}

// badConfigurations are refused, each with the variable blamed first.
var badConfigurations = map[string]struct {
	env    string // NAME=value lines
	blamed string
}{
	"address without a port":         {"LISTEN_ADDR=localhost", "LISTEN_ADDR"},
	"address with a word for a port": {"LISTEN_ADDR=localhost:http", "LISTEN_ADDR"},
	"address with too high a port":   {"LISTEN_ADDR=localhost:70000", "LISTEN_ADDR"},
	"address with a negative port":   {"LISTEN_ADDR=localhost:-1", "LISTEN_ADDR"},
	"address that is a URL":          {"LISTEN_ADDR=http://localhost:3000", "LISTEN_ADDR"},
	"data folder with a zero byte":   {"DATA_DIR=a\x00b", "DATA_DIR"},
	"another kind of database":       {"DATABASE_URL=mysql://me:hunter2-hunter2@db/x\nJWT_SECRET=" + goodSecret, "DATABASE_URL"},
	"database without a name":        {"DATABASE_URL=postgres://me:hunter2-hunter2@db\nJWT_SECRET=" + goodSecret, "DATABASE_URL"},
	"database without a host":        {"DATABASE_URL=postgres:///social\nJWT_SECRET=" + goodSecret, "DATABASE_URL"},
	"database that is no address":    {"DATABASE_URL=postgres://me:hunter2-hunter2@db:port/x\nJWT_SECRET=" + goodSecret, "DATABASE_URL"},
	"database by words":              {"DATABASE_URL=host=db password=hunter2-hunter2\nJWT_SECRET=" + goodSecret, "DATABASE_URL"},
	"nodes without a common key":     {"DATABASE_URL=postgres://me:hunter2-hunter2@db/x", "JWT_SECRET"},
	"database in a missing file":     {"DATABASE_URL_FILE=no/such/file\nJWT_SECRET=" + goodSecret, "DATABASE_URL_FILE"},
	"no connections":                 {"DATABASE_CONNECTIONS=0", "DATABASE_CONNECTIONS"},
	"Redis with SQLite":              {"REDIS_URL=redis://:hunter2-hunter2@cache\nJWT_SECRET=" + goodSecret, "REDIS_URL"},
	"another kind of relay":          {"REDIS_URL=amqp://:hunter2-hunter2@cache", "REDIS_URL"},
	"relay without a host":           {"REDIS_URL=redis://:hunter2-hunter2@", "REDIS_URL"},
	"relay without a scheme":         {"REDIS_URL=cache:6379", "REDIS_URL"},
	"relay with a word for a port":   {"REDIS_URL=redis://:hunter2-hunter2@cache:port", "REDIS_URL"},
	"two hosts that are no cluster":  {"REDIS_URL=redis://:hunter2-hunter2@a:6379,b:6379", "REDIS_URL"},
	"relay in a missing file":        {"REDIS_URL_FILE=no/such/file", "REDIS_URL_FILE"},
	"drain longer than the stop":     {"DRAIN_WINDOW=30s", "DRAIN_WINDOW"},
	"negative drain":                 {"DRAIN_WINDOW=-1s", "DRAIN_WINDOW"},
	"schema that is missing":         {"SETTINGS_SCHEMA=no/such/schema.json", "SETTINGS_SCHEMA"},
	"schema that is a folder":        {"SETTINGS_SCHEMA=.", "SETTINGS_SCHEMA"},
	"short key":                      {"JWT_SECRET=hunter2-hunter2", "JWT_SECRET"},
	"key one byte short":             {"JWT_SECRET=" + goodSecret[1:], "JWT_SECRET"},
	"example key":                    {"JWT_SECRET=changeme-changeme-changeme-hunter2-hunter2", "JWT_SECRET"},
	"the key of every tutorial":      {"JWT_SECRET=your-256-bit-secret-hunter2-hunter2-hunter2", "JWT_SECRET"},
	"key of one character":           {"JWT_SECRET=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "JWT_SECRET"},
	"key with a space behind it":     {"JWT_SECRET=" + goodSecret + " ", "JWT_SECRET"},
	"two keys":                       {"JWT_SECRET=" + goodSecret + "\nJWT_SECRET_FILE=key", "JWT_SECRET_FILE"},
	"any origin":                     {"ALLOWED_ORIGINS=*", "ALLOWED_ORIGINS"},
	"any origin of a domain":         {"ALLOWED_ORIGINS=https://*.example.org", "ALLOWED_ORIGINS"},
	"origin without a scheme":        {"ALLOWED_ORIGINS=example.org", "ALLOWED_ORIGINS"},
	"origin with a port alone":       {"ALLOWED_ORIGINS=localhost:3001", "ALLOWED_ORIGINS"},
	"origin of a socket":             {"ALLOWED_ORIGINS=wss://example.org", "ALLOWED_ORIGINS"},
	"origin with a slash":            {"ALLOWED_ORIGINS=https://example.org/", "ALLOWED_ORIGINS"},
	"origin with a path":             {"ALLOWED_ORIGINS=https://example.org/app", "ALLOWED_ORIGINS"},
	"origin with a question mark":    {"ALLOWED_ORIGINS=https://example.org?", "ALLOWED_ORIGINS"},
	"origin with a password":         {"ALLOWED_ORIGINS=https://me:hunter2-hunter2@example.org", "ALLOWED_ORIGINS"},
	"origin with too high a port":    {"ALLOWED_ORIGINS=https://example.org:99999", "ALLOWED_ORIGINS"},
	"origin null":                    {"ALLOWED_ORIGINS=null", "ALLOWED_ORIGINS"},
	"second origin bad":              {"ALLOWED_ORIGINS=https://a.example,ftp://b.example", "ALLOWED_ORIGINS"},
	"any host":                       {"ALLOWED_HOSTS=*", "ALLOWED_HOSTS"},
	"host with a port":               {"ALLOWED_HOSTS=example.org:443", "ALLOWED_HOSTS"},
	"host with a scheme":             {"ALLOWED_HOSTS=https://example.org", "ALLOWED_HOSTS"},
	"second host bad":                {"ALLOWED_HOSTS=a.example,b/c", "ALLOWED_HOSTS"},
	"registration for some":          {"REGISTRATION=some", "REGISTRATION"},
	"password of any length":         {"PASSWORD_MIN_LENGTH=0", "PASSWORD_MIN_LENGTH"},
	"password of a book":             {"PASSWORD_MIN_LENGTH=65", "PASSWORD_MIN_LENGTH"},
	"length that is no number":       {"PASSWORD_MIN_LENGTH=eight", "PASSWORD_MIN_LENGTH"},
	"length that is a fraction":      {"PASSWORD_MIN_LENGTH=8.5", "PASSWORD_MIN_LENGTH"},
	"time without a unit":            {"ACCESS_TOKEN_TTL=15", "ACCESS_TOKEN_TTL"},
	"time in days":                   {"REFRESH_TOKEN_TTL=30d", "REFRESH_TOKEN_TTL"},
	"negative time":                  {"ACCESS_TOKEN_TTL=-15m", "ACCESS_TOKEN_TTL"},
	"token for ever":                 {"ACCESS_TOKEN_TTL=8760h", "ACCESS_TOKEN_TTL"},
	"log-in shorter than its token":  {"ACCESS_TOKEN_TTL=1h\nREFRESH_TOKEN_TTL=30m", "REFRESH_TOKEN_TTL"},
	"no log-in at all":               {"LOGINS_PER_MINUTE=0", "LOGINS_PER_MINUTE"},
	"log level":                      {"LOG_LEVEL=chatty", "LOG_LEVEL"},
	"log format":                     {"LOG_FORMAT=xml", "LOG_FORMAT"},
	"metrics for everyone":           {"METRICS_ADDR=0.0.0.0:9090", "METRICS_ADDR"},
	"metrics on every address":       {"METRICS_ADDR=:9090", "METRICS_ADDR"},
	"metrics without a port":         {"METRICS_ADDR=localhost", "METRICS_ADDR"},
	"no time to stop":                {"SHUTDOWN_TIMEOUT=0", "SHUTDOWN_TIMEOUT"},
	"negative size":                  {"MAX_FRAME_BYTES=-1", "MAX_FRAME_BYTES"},
	"size beyond all numbers":        {"MAX_FRAME_BYTES=99999999999999999999", "MAX_FRAME_BYTES"},
	"size with a unit":               {"MAX_VALUE_BYTES=8KiB", "MAX_VALUE_BYTES"},
	"value larger than its frame":    {"MAX_VALUE_BYTES=32768", "MAX_VALUE_BYTES"},
	"value larger than the quota":    {"MAX_BYTES_PER_USER=4096", "MAX_BYTES_PER_USER"},
	"burst below the rate":           {"FRAME_BURST=29", "FRAME_BURST"},
	"no sessions":                    {"MAX_SESSIONS_PER_DEVICE=0", "MAX_SESSIONS_PER_DEVICE"},
	"ping without rest":              {"PING_INTERVAL=1ns", "PING_INTERVAL"},
	"answers forgotten at once":      {"ANSWERS_KEEP=1s", "ANSWERS_KEEP"},
	"the first of two is told":       {"LOG_LEVEL=chatty\nLISTEN_ADDR=nowhere", "LISTEN_ADDR"},
}

func TestBadConfigurations(t *testing.T) {
	for name, tt := range badConfigurations {
		t.Run(name, func(t *testing.T) {
			_, err := Load(noDotenv, strings.Split(tt.env, "\n"))
			checkRefusal(t, err, tt.blamed)
		})
	}
}

// checkRefusal fails unless err is one line that begins with the variable and
// shows no secret.
func checkRefusal(t *testing.T, err error, blamed string) {
	t.Helper()
	var refusal *Error
	if !errors.As(err, &refusal) {
		t.Fatalf("err = %v, want one that blames %s", err, blamed)
	}
	if refusal.Variable != blamed {
		t.Errorf("%q blames %s, want %s", err, refusal.Variable, blamed)
	}
	text := err.Error()
	if !strings.HasPrefix(text, blamed+": ") || strings.ContainsAny(text, "\n\r") || len(text) > 250 {
		t.Errorf("%q is not one short line that begins with %s", text, blamed)
	}
	for _, secret := range []string{goodSecret[1:], "hunter2"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q shows a secret", text)
		}
	}
}

func TestAllowedOrigins(t *testing.T) {
	tests := map[string][]string{
		"":                                         nil,
		"http://localhost:3001":                    {"http://localhost:3001"},
		"HTTPS://Sync.Example.ORG":                 {"https://sync.example.org"},
		"https://a.example:443":                    {"https://a.example"},
		"http://a.example:80":                      {"http://a.example"},
		"http://a.example:443":                     {"http://a.example:443"},
		"https://[::1]:8443":                       {"https://[::1]:8443"},
		"https://[::1]":                            {"https://[::1]"},
		"https://a.example, https://b.example":     {"https://a.example", "https://b.example"},
		"https://a.example,https://A.example:443,": {"https://a.example"},
	}
	for value, want := range tests {
		t.Run(value, func(t *testing.T) {
			cfg, err := Load(noDotenv, []string{"ALLOWED_ORIGINS=" + value})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(cfg.AllowedOrigins, want) {
				t.Errorf("AllowedOrigins = %q, want %q", cfg.AllowedOrigins, want)
			}
		})
	}
}

func TestGoodValues(t *testing.T) {
	cfg, err := Load(noDotenv, []string{
		"LISTEN_ADDR=:0", "ALLOW_PLAIN_HTTP=1", "METRICS_ADDR=[::1]:9090", "LOG_LEVEL= Debug ", "LOG_FORMAT=json",
		"REGISTRATION=first-account", "SETTINGS_SCHEMA=config_test.go", "ACCESS_TOKEN_TTL=90s",
		"MAX_KEYS_PER_USER=7", "NOT_OURS=anything", "a line that is no variable",
	})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(cfg.ListenAddr, cfg.MetricsAddr, cfg.LogLevel, cfg.LogFormat, cfg.Accounts.Registration,
		cfg.SettingsSchema, cfg.Accounts.AccessTokenTTL, cfg.Limits.KeysPerUser)
	want := fmt.Sprint(":0", "[::1]:9090", slog.LevelDebug, LogJSON, RegistrationFirstAccount, "config_test.go", 90*time.Second, 7)
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDotenv(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".env")
	write(t, file, "# mine\nLISTEN_ADDR=localhost:4000\nREGISTRATION=closed\nDATA_DIR=\nCOMPOSE_PROJECT_NAME=x\n")
	cfg, err := Load(file, []string{"REGISTRATION=open"})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.ListenAddr != "localhost:4000" {
		t.Errorf("ListenAddr = %q, want the file's", cfg.ListenAddr)
	}
	if cfg.Accounts.Registration != RegistrationOpen {
		t.Errorf("Registration = %q, want the environment's", cfg.Accounts.Registration)
	}
	if cfg.DataDir != "./data" {
		t.Errorf("DataDir = %q, want the default for an empty value", cfg.DataDir)
	}
}

func TestBadDotenv(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, ".env")
	tests := map[string]struct{ text, blamed string }{
		"a misspelt name":   {"LISTEN_ADR=localhost:4000\n", "LISTEN_ADR"},
		"not a list":        {"JWT_SECRET hunter2-hunter2\n", file},
		"an open quotation": {"JWT_SECRET=\"hunter2-hunter2\n", file},
		"a bad value":       {"LOG_LEVEL=chatty\n", "LOG_LEVEL"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			write(t, file, tt.text)
			_, err := Load(file, nil)
			checkRefusal(t, err, tt.blamed)
		})
	}
	_, err := Load(dir, nil)
	checkRefusal(t, err, dir)
}

func TestSecretIsNeverShown(t *testing.T) {
	cfg, err := Load(noDotenv, []string{"JWT_SECRET=" + goodSecret})
	if err != nil {
		t.Fatal(err)
	}
	key, err := cfg.SigningKey()
	if err != nil || key.Reveal() != goodSecret {
		t.Fatalf("SigningKey() = %q, %v", key.Reveal(), err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("start", "config", cfg, "key", key)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("start", "config", cfg, "key", key)
	text, err := key.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{
		fmt.Sprint(key), fmt.Sprintf("%+v %#v %q %x", key, key, key, key), string(text),
		fmt.Sprintf("%v %+v %#v", cfg, cfg, cfg), fmt.Sprintf("%+v", &cfg), log.String(),
	} {
		if strings.Contains(shown, goodSecret) || strings.Contains(shown, fmt.Sprintf("%x", goodSecret)) {
			t.Errorf("the secret is shown in %q", shown)
		}
	}
	if empty := (Secret{}); empty.String() != "" || empty.Reveal() != "" || !NewSecret("").Empty() {
		t.Error("no secret is not shown as nothing")
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func modeOf(t *testing.T, file string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}
