package config

import (
	"log/slog"
	"time"
)

// variable is one environment variable. The table of them is the only place
// that knows their names: parsing, .env.example and the README follow from it.
type variable struct {
	name     string
	fallback string // "" means off, or found out at start
	help     string
	secret   bool
	group    string // headline in .env.example
	set      setter
}

// day is spelt in hours, as Go's durations are.
const day = 24 * time.Hour

// known reports whether a variable of that name exists.
func known(name string) bool {
	for _, v := range variables() {
		if v.name == name {
			return true
		}
	}
	return false
}

// variables returns the table, in the order in which it is checked and shown.
func variables() []variable {
	var all []variable
	for _, group := range []struct {
		name string
		vars []variable
	}{
		{"Where it listens and keeps its data", placeVariables()},
		{"Who may use it", accountVariables()},
		{"Logs and stopping", operationVariables()},
		{"Limits", limitVariables()},
		{"Waits and keeping", timingVariables()},
	} {
		for _, v := range group.vars {
			v.group = group.name
			all = append(all, v)
		}
	}
	return all
}

func placeVariables() []variable {
	return []variable{
		{name: "LISTEN_ADDR", fallback: "localhost:3000",
			help: "host:port to listen on; an empty host means every address, `localhost` both loopback addresses",
			set:  address(func(c *Config) *string { return &c.ListenAddr })},
		{name: "TLS_CERT_FILE",
			help: "certificate (PEM, with its chain), to speak TLS without a proxy; read at start",
			set:  readable(func(c *Config) *string { return &c.TLSCertFile })},
		{name: "TLS_KEY_FILE",
			help: "the certificate's key (PEM)",
			set:  readable(func(c *Config) *string { return &c.TLSKeyFile })},
		{name: "TRUSTED_PROXIES",
			help: "addresses or networks of reverse proxies, separated by commas; only their X-Forwarded-For and X-Forwarded-Proto are believed",
			set:  proxies},
		{name: "ALLOW_PLAIN_HTTP", fallback: "0",
			help: "`1`: other machines may connect without TLS; passwords then travel in the clear",
			set:  oneOf(func(c *Config) *bool { return &c.AllowPlainHTTP }, map[string]bool{"0": false, "1": true})},
		{name: "DATA_DIR", fallback: "./data",
			help: "folder of the database and the signing key; made with mode 0700",
			set:  path(func(c *Config) *string { return &c.DataDir })},
		{name: "DATABASE_URL", secret: true,
			help: "empty: SQLite in DATA_DIR; or `postgres://user:password@host/database`. Beyond this machine its certificate is verified, unless it says `?sslmode=`",
			set:  databaseURL},
		{name: "DATABASE_URL_FILE",
			help: "file that holds it instead",
			set:  fromFile(databaseURL, func(c *Config) Secret { return c.DatabaseURL }, "DATABASE_URL")},
		{name: "DATABASE_CONNECTIONS", fallback: "12",
			help: "connections of one node to PostgreSQL, at most",
			set:  count(func(c *Config) *int { return &c.DatabaseConnections }, 4, 1000)},
		{name: "REDIS_URL", secret: true,
			help: "empty: one node; or what joins several on one PostgreSQL: `redis://:password@host:6379`, `rediss://` with TLS, `redis-cluster://host:6379,host:6379`, `rediss-cluster://`",
			set:  redisURL},
		{name: "REDIS_URL_FILE",
			help: "file that holds it instead",
			set:  fromFile(redisURL, func(c *Config) Secret { return c.RedisURL }, "REDIS_URL")},
		{name: "SETTINGS_SCHEMA",
			help: "JSON Schema file of the settings; empty: the demo's",
			set:  readable(func(c *Config) *string { return &c.SettingsSchema })},
	}
}

func accountVariables() []variable {
	return []variable{
		{name: "JWT_SECRET", secret: true,
			help: "key that signs access tokens, 32 bytes or more, the same on every node; empty: made once in DATA_DIR/jwt.key",
			set:  signingSecret},
		{name: "JWT_SECRET_FILE",
			help: "file that holds the key instead, for Docker secrets and the like",
			set:  path(func(c *Config) *string { return &c.jwtSecretFile })},
		{name: "JWT_SECRET_PREVIOUS", secret: true,
			help: "former keys, separated by commas: tokens they signed stay good, none is signed with them; see server/SECURITY.md",
			set:  previousSecrets},
		{name: "JWT_SECRET_PREVIOUS_FILE",
			help: "file that holds them instead, one a line, or a former DATA_DIR/jwt.key",
			set:  path(func(c *Config) *string { return &c.jwtPreviousFile })},
		{name: "ALLOWED_ORIGINS",
			help: "other web origins that may connect, as scheme://host[:port], separated by commas; the server's own is always allowed",
			set:  origins},
		{name: "ALLOWED_HOSTS",
			help: "other host names in addresses of this server, separated by commas. Its own, `localhost`, IP addresses, the hosts of ALLOWED_ORIGINS and those that TRUSTED_PROXIES pass on are always allowed. Checked on a loopback or private `LISTEN_ADDR`, and wherever it is set; see server/SECURITY.md",
			set:  hosts},
		{name: "REGISTRATION",
			help: "`open`: anyone; `first-account`: the first account, then only its own devices; `closed`: nobody. Empty: `open` on a loopback or private `LISTEN_ADDR`, else `first-account`",
			set:  registration},
		{name: "PASSWORD_MIN_LENGTH", fallback: "8",
			help: "characters of a new password, 8 to 64; 15 is a good choice on the open internet",
			set:  count(func(c *Config) *int { return &c.Accounts.PasswordMinLength }, 8, 64)},
		{name: "ACCESS_TOKEN_TTL", fallback: "15m",
			help: "life of an access token",
			set:  duration(func(c *Config) *time.Duration { return &c.Accounts.AccessTokenTTL }, time.Second, day)},
		{name: "REFRESH_TOKEN_TTL", fallback: "720h",
			help: "life of a log-in that is not used",
			set:  duration(func(c *Config) *time.Duration { return &c.Accounts.RefreshTokenTTL }, time.Minute, 400*day)},
		{name: "LOGIN_TTL", fallback: "2160h",
			help: "life of a log-in, however much it is used",
			set:  duration(func(c *Config) *time.Duration { return &c.Accounts.LoginTTL }, time.Minute, 4000*day)},
		{name: "LOGIN_FAILURES", fallback: "10",
			help: "wrong passwords for one device name in 15 minutes before it is slowed down",
			set:  count(func(c *Config) *int { return &c.Accounts.LoginFailures }, 1, 100)},
		{name: "LOGINS_PER_MINUTE", fallback: "30",
			help: "tries to log in or register from one address",
			set:  count(func(c *Config) *int { return &c.Accounts.LoginsPerMinute }, 1, 100_000)},
		{name: "LOGIN_FAILURES_PER_MINUTE", fallback: "300",
			help: "wrong passwords from strangers on the whole server; devices known at their address still get in",
			set:  count(func(c *Config) *int { return &c.Accounts.FailuresPerMinute }, 1, 1_000_000)},
	}
}

func operationVariables() []variable {
	return []variable{
		{name: "LOG_LEVEL", fallback: "info",
			help: "`debug`, `info`, `warn` or `error`",
			set: oneOf(func(c *Config) *slog.Level { return &c.LogLevel }, map[string]slog.Level{
				"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError})},
		{name: "LOG_FORMAT", fallback: "text",
			help: "`text` or `json`",
			set: oneOf(func(c *Config) *LogFormat { return &c.LogFormat }, map[string]LogFormat{
				"text": LogText, "json": LogJSON})},
		{name: "METRICS_ADDR",
			help: "loopback host:port for /metrics, like LISTEN_ADDR; empty: none",
			set:  loopback(func(c *Config) *string { return &c.MetricsAddr })},
		{name: "SHUTDOWN_TIMEOUT", fallback: "20s",
			help: "how long a stop may take",
			set:  duration(func(c *Config) *time.Duration { return &c.ShutdownWithin }, time.Second, 10*time.Minute)},
		{name: "DRAIN_WINDOW",
			help: "part of it over which connections are told to go elsewhere, one after the other. Empty: `10s` with REDIS_URL, else `0s`: there is no elsewhere",
			set:  optional(duration(func(c *Config) *time.Duration { return &c.DrainWindow }, 0, 10*time.Minute))},
	}
}

func limitVariables() []variable {
	return []variable{
		{name: "MAX_FRAME_BYTES", fallback: "32768",
			help: "largest WebSocket frame and request body",
			set:  count(func(c *Config) *int { return &c.Limits.FrameBytes }, 1024, 16<<20)},
		{name: "MAX_VALUE_BYTES", fallback: "8192",
			help: "largest value of one key",
			set:  count(func(c *Config) *int { return &c.Limits.ValueBytes }, 16, 8<<20)},
		{name: "MAX_KEYS_PER_USER", fallback: "512",
			help: "keys one user may have set",
			set:  count(func(c *Config) *int { return &c.Limits.KeysPerUser }, 1, 100_000)},
		{name: "MAX_BYTES_PER_USER", fallback: "262144",
			help: "sum of one user's values",
			set:  count(func(c *Config) *int { return &c.Limits.BytesPerUser }, 1024, 64<<20)},
		{name: "FRAMES_PER_SECOND", fallback: "30",
			help: "frames one connection may send",
			set:  count(func(c *Config) *int { return &c.Limits.FramesPerSecond }, 1, 10_000)},
		{name: "FRAME_BURST", fallback: "60",
			help: "frames it may send at once",
			set:  count(func(c *Config) *int { return &c.Limits.FrameBurst }, 1, 100_000)},
		{name: "FRAME_EXCESS", fallback: "300",
			help: "frames above that, without rest, before it is closed",
			set:  count(func(c *Config) *int { return &c.Limits.FrameExcess }, 1, 1_000_000)},
		{name: "MAX_WAITING_SOCKETS", fallback: "1000",
			help: "connections that have not said who they are",
			set:  count(func(c *Config) *int { return &c.Limits.Waiting }, 1, 1_000_000)},
		{name: "MAX_WAITING_PER_ADDRESS", fallback: "20",
			help: "those of one client address",
			set:  count(func(c *Config) *int { return &c.Limits.WaitingPerAddress }, 1, 1_000_000)},
		{name: "MAX_CONNECTIONS_PER_ADDRESS", fallback: "256",
			help: "connections of one client address; those of sessions do not count. Behind TRUSTED_PROXIES: its requests under way",
			set:  count(func(c *Config) *int { return &c.Limits.ConnectionsPerAddress }, 1, 1_000_000)},
		{name: "MAX_SESSIONS_PER_DEVICE", fallback: "8",
			help: "connections of one device to one user",
			set:  count(func(c *Config) *int { return &c.Limits.SessionsPerDevice }, 1, 1000)},
		{name: "MAX_DEVICES_PER_USER", fallback: "50",
			help: "devices that may join one user",
			set:  count(func(c *Config) *int { return &c.Limits.DevicesPerUser }, 1, 10_000)},
		{name: "MAX_DEVICES_PER_ACCOUNT", fallback: "100",
			help: "devices one account may register",
			set:  count(func(c *Config) *int { return &c.Limits.DevicesPerAccount }, 1, 100_000)},
		{name: "MAX_USERS_PER_ACCOUNT", fallback: "100",
			help: "users one account may own",
			set:  count(func(c *Config) *int { return &c.Limits.UsersPerAccount }, 1, 100_000)},
	}
}

func timingVariables() []variable {
	return []variable{
		{name: "HELLO_TIMEOUT", fallback: "5s",
			help: "wait for the first frame of a connection",
			set:  duration(func(c *Config) *time.Duration { return &c.Timing.HelloWithin }, 100*time.Millisecond, time.Minute)},
		{name: "PING_INTERVAL", fallback: "25s",
			help: "silence of a connection before it is pinged",
			set:  duration(func(c *Config) *time.Duration { return &c.Timing.PingEvery }, 100*time.Millisecond, 10*time.Minute)},
		{name: "PONG_TIMEOUT", fallback: "10s",
			help: "wait for the answer to a ping",
			set:  duration(func(c *Config) *time.Duration { return &c.Timing.PongWithin }, 100*time.Millisecond, 10*time.Minute)},
		{name: "WRITE_TIMEOUT", fallback: "5s",
			help: "wait for a connection that takes nothing",
			set:  duration(func(c *Config) *time.Duration { return &c.Timing.WriteWithin }, 100*time.Millisecond, time.Minute)},
		{name: "AUTH_DUE_LEAD",
			help: "notice before a connection's token ends, at most half of ACCESS_TOKEN_TTL. Empty: `2m`, or that half",
			set:  optional(duration(func(c *Config) *time.Duration { return &c.Timing.AuthDueLead }, time.Second, time.Hour))},
		{name: "ANSWERS_KEEP", fallback: "720h",
			help: "how long a repeated patch still gets its first answer",
			set:  duration(func(c *Config) *time.Duration { return &c.Timing.AnswersKeep }, time.Hour, 400*day)},
		{name: "HISTORY_KEEP", fallback: "2160h",
			help: "how long it is remembered who changed what",
			set:  duration(func(c *Config) *time.Duration { return &c.Timing.HistoryKeep }, time.Hour, 4000*day)},
		{name: "HISTORY_KEEP_COUNT", fallback: "10000",
			help: "changes of one user that are remembered, at most",
			set:  count(func(c *Config) *int { return &c.Limits.HistoryPerUser }, 1, 10_000_000)},
	}
}
