package config

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// drainUsually is the default of DRAIN_WINDOW where there are other nodes.
const drainUsually = 10 * time.Second

// Postgres reports whether the database is a PostgreSQL server.
func (c *Config) Postgres() bool { return !c.DatabaseURL.Empty() }

// SeveralNodes reports whether this is one of several nodes.
func (c *Config) SeveralNodes() bool { return !c.RedisURL.Empty() }

// agreeOnNodes refuses what several nodes cannot share (SEC-21).
func (c *Config) agreeOnNodes() error {
	switch {
	case c.SeveralNodes() && !c.Postgres():
		return bad("REDIS_URL", "joins nodes that share a PostgreSQL database: set DATABASE_URL, or leave REDIS_URL empty")
	case c.Postgres() && c.jwtSecret.Empty() && c.jwtSecretFile == "":
		return bad("JWT_SECRET", "is needed with DATABASE_URL: every node must sign with the same key (`openssl rand -base64 48` makes a good one), in JWT_SECRET or JWT_SECRET_FILE")
	}
	return nil
}

// errAddress says what is wrong with an address of which nothing is shown: it
// may hold a password.
func errAddress(form string) error { return problem("is not of the form %s", form) }

// databaseURL takes the address of a PostgreSQL database.
func databaseURL(c *Config, value string) error {
	if value == "" {
		return nil
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || strings.Trim(u.Path, "/") == "" {
		return errAddress("postgres://user:password@host:5432/database")
	}
	query := u.Query()
	if u.Host == "" && query.Get("host") == "" {
		return errors.New("names no host")
	}
	if !query.Has("sslmode") && !here(u.Hostname()) && !here(query.Get("host")) {
		query.Set("sslmode", "verify-full") // what the driver does by itself can be talked out of TLS (SEC-47)
		u.RawQuery = query.Encode()
	}
	c.DatabaseURL = NewSecret(u.String())
	return nil
}

// here reports whether a host is this machine, or a socket on it.
func here(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasPrefix(host, "/") || err == nil && address.IsLoopback()
}

// redisSchemes are the forms of REDIS_URL.
var redisSchemes = []string{"redis", "rediss", "redis-cluster", "rediss-cluster"}

// redisURL takes the address of a Redis server, or of some nodes of a cluster,
// separated by commas.
func redisURL(c *Config, value string) error {
	if value == "" {
		return nil
	}
	scheme, rest, ok := strings.Cut(value, "://")
	if !ok || !slices.Contains(redisSchemes, scheme) {
		return errAddress("redis://:password@host:6379, or rediss://, redis-cluster://, rediss-cluster://")
	}
	authority, _, _ := strings.Cut(rest, "/")
	hosts := authority[strings.LastIndex(authority, "@")+1:]
	if strings.Contains(hosts, ",") && !strings.HasSuffix(scheme, "-cluster") {
		return errors.New("names several hosts, which only a cluster has: redis-cluster://")
	}
	for host := range strings.SplitSeq(hosts, ",") {
		if name, _, err := net.SplitHostPort(host); err == nil && (name == "" || checkAddress(host) != nil) || err != nil && (host == "" || strings.Contains(host, ":")) {
			return errors.New("has a host that is not host or host:port")
		}
	}
	c.RedisURL = NewSecret(value)
	return nil
}

// fromFile takes a value from a file, for Docker secrets and the like. The last
// line end is not part of it. set is the setter of the variable other, which
// holds the value itself, and now what it has set.
func fromFile(set setter, now func(*Config) Secret, other string) setter {
	return func(c *Config, path string) error {
		if path == "" {
			return nil
		}
		if !now(c).Empty() {
			return problem("is set together with %s: keep one of them", other)
		}
		if err := checkPath(path); err != nil {
			return err
		}
		text, mode, err := readSecretText(path)
		if err != nil {
			return err
		}
		if tooOpen(path, mode) {
			return problem("%s is open to others (mode %04o): run chmod 600 on it", path, mode)
		}
		if text = strings.TrimSpace(text); text == "" {
			return problem("%s is empty", path)
		}
		return set(c, text)
	}
}

// optional leaves an empty value to parse: the default follows another variable.
func optional(set setter) setter {
	return func(c *Config, value string) error {
		if value == "" {
			return nil
		}
		return set(c, value)
	}
}
