// Package config reads the environment, after a .env file if there is one,
// into a Config, and refuses to start on a bad one.
//
// A program uses it in three steps:
//
//	cfg, err := config.Load(".env", os.Environ()) // every command: parses, touches nothing
//	err = cfg.PrepareDataDir()                    // what writes data: makes and checks DATA_DIR
//	keys, err := cfg.SigningKeys()                // the server: reads the keys, or makes one once
//
// Each error is one line that names the variable and never holds a secret.
package config

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"social-server/internal/errs"
)

// Registration says who may register a device.
type Registration string

// The three rules of REGISTRATION.
const (
	RegistrationOpen         Registration = "open"          // anyone may make an account
	RegistrationFirstAccount Registration = "first-account" // the first account is made; later devices must be its own
	RegistrationClosed       Registration = "closed"        // no new account and no new device
)

// LogFormat says how log lines are written.
type LogFormat string

// The two formats of LOG_FORMAT.
const (
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// Config is everything the environment decides. Its zero value is not usable:
// Load fills in every default.
type Config struct {
	ListenAddr     string        // host:port; port 0 picks a free one
	DataDir        string        // as written; SQLite file and signing key live in it
	DatabaseURL    Secret        // postgres://…; empty: SQLite in DataDir. It may hold a password
	RedisURL       Secret        // redis://… and its kin; empty: one node. It may hold a password
	AllowedOrigins []string      // scheme://host[:port], lower case, no default port
	AllowedHosts   []string      // host names besides the server's own, lower case
	SettingsSchema string        // path of a JSON Schema; empty: the built-in one
	LogLevel       slog.Level    // lowest level that is written
	LogFormat      LogFormat     // text or json
	MetricsAddr    string        // loopback host:port; empty: no metrics
	ShutdownWithin time.Duration // how long SIGTERM waits for answers and farewells
	DrainWindow    time.Duration // the part of it over which sessions are sent elsewhere

	DatabaseConnections int // to PostgreSQL

	TLSCertFile    string         // PEM; empty: plain HTTP
	TLSKeyFile     string         // PEM, of the certificate
	AllowPlainHTTP bool           // plain HTTP for other machines, knowingly
	TrustedProxies []netip.Prefix // whose X-Forwarded-For and X-Forwarded-Proto are believed

	Accounts Accounts
	Limits   Limits
	Timing   Timing

	jwtSecret       Secret
	jwtSecretFile   string
	jwtPrevious     []Secret // former keys, which verify only
	jwtPreviousFile string
}

// Accounts are the rules of registering and logging in.
type Accounts struct {
	Registration      Registration
	PasswordMinLength int           // in code points
	AccessTokenTTL    time.Duration // life of an access token
	RefreshTokenTTL   time.Duration // life of a log-in that is not used
	LoginTTL          time.Duration // life of a log-in, however much it is used
	LoginFailures     int           // failures per device name in 15 minutes before it is slowed down
	LoginsPerMinute   int           // tries to log in or register per client address
	FailuresPerMinute int           // failures of strangers on the whole server
}

// Limits are the sizes and counts of SPEC V5, C8 and E4.
type Limits struct {
	FrameBytes        int // largest frame (SPEC E2)
	ValueBytes        int // largest value (SPEC V5)
	KeysPerUser       int // keys with a revision, tombstones too (SPEC V5)
	BytesPerUser      int // sum of a user's values (SPEC V5)
	FramesPerSecond   int // per session (SPEC E4)
	FrameBurst        int // per session (SPEC E4)
	FrameExcess       int // refused frames without rest before 4004 (SPEC E4)
	Waiting           int // sockets that have not said who they are, in all
	WaitingPerAddress int // those of one client address
	SessionsPerDevice int // per device and user (SPEC C8)
	DevicesPerUser    int // members
	DevicesPerAccount int // registered and not revoked
	UsersPerAccount   int // users owned by one account
	HistoryPerUser    int // changes remembered (SPEC U2)

	ConnectionsPerAddress int // of one client address (SPEC W5)
}

// Timing are the waits of the live connection and how long answers are kept.
type Timing struct {
	HelloWithin time.Duration // first frame (SPEC C4)
	PingEvery   time.Duration // silence before a ping (SPEC S6)
	PongWithin  time.Duration // answer to a ping (SPEC S6)
	WriteWithin time.Duration // progress of a write (SPEC S8)
	AuthDueLead time.Duration // notice before a token ends (SPEC A1)
	AnswersKeep time.Duration // answers to patches (SPEC P5)
	HistoryKeep time.Duration // who changed what
}

// Error is a variable that cannot be used.
type Error struct {
	Variable string
	Problem  string // what is wrong and what would be right, without a secret
}

// Error returns one line: the variable and what is wrong with it. It may quote
// what somebody wrote, so nothing in it can move a terminal's cursor.
func (e *Error) Error() string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, errs.Clip(e.Variable)+": "+e.Problem)
}

// bad returns an *Error as an error.
func bad(variable, format string, args ...any) error {
	return &Error{Variable: variable, Problem: errs.Sprintf(format, args...)}
}

// problem returns an error that quotes what somebody wrote.
func problem(format string, args ...any) error { return errors.New(errs.Sprintf(format, args...)) }

// Load reads the variables of environ (as os.Environ gives them) and, for those
// it does not have, of the file dotenv. A missing file is fine, and so is an
// empty value: it means the default.
func Load(dotenv string, environ []string) (Config, error) {
	file, err := readDotenv(dotenv)
	if err != nil {
		return Config{}, err
	}
	values := make(map[string]string)
	for name, one := range file {
		values[name] = one.value
	}
	for _, pair := range environ {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			continue
		}
		if clean := strings.TrimPrefix(name, byteOrderMark); clean != name && known(clean) {
			return Config{}, bad(clean, "has a byte order mark before its name in the environment: save the file it comes from without one")
		}
		values[name] = value
		delete(file, name)
	}
	cfg, err := parse(values)
	var refusal *Error
	if errors.As(err, &refusal) && file[refusal.Variable].line > 0 {
		err = bad(refusal.Variable, "%s (%s, line %d)", refusal.Problem, dotenv, file[refusal.Variable].line)
	}
	return cfg, err
}

// parse turns values into a Config: each variable by itself, then those that
// must agree with one another.
func parse(values map[string]string) (Config, error) {
	var cfg Config
	for _, v := range variables() {
		value := values[v.name]
		if !v.secret {
			value = strings.TrimSpace(value)
		}
		if value == "" {
			value = v.fallback
		}
		if err := v.set(&cfg, value); err != nil {
			return Config{}, bad(v.name, "%v", err)
		}
	}
	if cfg.Accounts.Registration == "" {
		cfg.Accounts.Registration = defaultRegistration(cfg.ListenAddr)
	}
	if values["DRAIN_WINDOW"] == "" && cfg.SeveralNodes() {
		cfg.DrainWindow = min(drainUsually, cfg.ShutdownWithin/2)
	}
	if cfg.Timing.AuthDueLead == 0 {
		cfg.Timing.AuthDueLead = min(authDueUsually, cfg.Accounts.AccessTokenTTL/2)
	}
	return cfg, cfg.agree()
}

// cause returns what the system said, without the path around it.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
