package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Beyond this machine the database's certificate is verified, unless whoever
// runs the server has said otherwise (SEC-47).
func TestDatabaseURL(t *testing.T) {
	tests := map[string]string{
		"postgres://me:pw@db.example/social":                     "postgres://me:pw@db.example/social?sslmode=verify-full",
		"postgresql://me:pw@db.example:6432/social?pool=1":       "postgresql://me:pw@db.example:6432/social?pool=1&sslmode=verify-full",
		"postgres://me:pw@db/social?sslmode=disable":             "postgres://me:pw@db/social?sslmode=disable",
		"postgres://me@localhost/social":                         "postgres://me@localhost/social",
		"postgres://me@127.0.0.1:5433/social":                    "postgres://me@127.0.0.1:5433/social",
		"postgres://me@[::1]/social":                             "postgres://me@[::1]/social",
		"postgres:///social?host=/run/postgresql":                "postgres:///social?host=/run/postgresql",
		"postgres:///social?host=db.example&sslmode=verify-full": "postgres:///social?host=db.example&sslmode=verify-full",
	}
	for value, want := range tests {
		cfg, err := Load(noDotenv, []string{"DATABASE_URL=" + value, "JWT_SECRET=" + goodSecret})
		if err != nil || cfg.DatabaseURL.Reveal() != want || !cfg.Postgres() || cfg.SeveralNodes() {
			t.Errorf("%s: %s, %v, want %s", value, cfg.DatabaseURL.Reveal(), err, want)
		}
	}
}

func TestRedisURL(t *testing.T) {
	database := "DATABASE_URL=postgres://me@localhost/social"
	for _, value := range []string{
		"redis://cache", "redis://:pw@cache:6379", "rediss://me:pw@cache:6380/1", "redis://[::1]:6379",
		"redis-cluster://a:6379,b:6379", "rediss-cluster://:p@w@a:6379,b:6379,c:6379",
	} {
		cfg, err := Load(noDotenv, []string{database, "REDIS_URL=" + value, "JWT_SECRET=" + goodSecret})
		if err != nil || cfg.RedisURL.Reveal() != value || !cfg.SeveralNodes() {
			t.Errorf("%s: %s, %v", value, cfg.RedisURL.Reveal(), err)
		}
	}
}

// Only where there is somewhere to go does a stop take its time.
func TestDrainWindow(t *testing.T) {
	several := []string{"DATABASE_URL=postgres://me@localhost/social", "REDIS_URL=redis://cache", "JWT_SECRET=" + goodSecret}
	tests := map[string]struct {
		env  []string
		want time.Duration
	}{
		"one node":                  {nil, 0},
		"one node that was told to": {[]string{"DRAIN_WINDOW=3s"}, 3 * time.Second},
		"several nodes":             {several, 10 * time.Second},
		"several, in a hurry":       {append([]string{"SHUTDOWN_TIMEOUT=5s"}, several...), 2500 * time.Millisecond},
		"several, at once":          {append([]string{"DRAIN_WINDOW=0s"}, several...), 0},
	}
	for name, tt := range tests {
		cfg, err := Load(noDotenv, tt.env)
		if err != nil || cfg.DrainWindow != tt.want {
			t.Errorf("%s: %v, %v, want %v", name, cfg.DrainWindow, err, tt.want)
		}
	}
}

// Addresses that hold passwords may come in files, which only their owner may read.
func TestAddressesFromFiles(t *testing.T) {
	folder := t.TempDir()
	database, cache := filepath.Join(folder, "database"), filepath.Join(folder, "cache")
	write(t, database, "postgres://me:hunter2@localhost/social\n")
	write(t, cache, "redis://:hunter2@cache:6379\n")
	env := []string{"DATABASE_URL_FILE=" + database, "REDIS_URL_FILE=" + cache, "JWT_SECRET=" + goodSecret}
	cfg, err := Load(noDotenv, env)
	if err != nil || cfg.DatabaseURL.Reveal() != "postgres://me:hunter2@localhost/social" || cfg.RedisURL.Reveal() != "redis://:hunter2@cache:6379" {
		t.Fatalf("%q %q %v", cfg.DatabaseURL.Reveal(), cfg.RedisURL.Reveal(), err)
	}
	_, err = Load(noDotenv, append(env, "DATABASE_URL=postgres://me@localhost/other"))
	checkRefusal(t, err, "DATABASE_URL_FILE")
	write(t, cache, "\n")
	_, err = Load(noDotenv, env)
	checkRefusal(t, err, "REDIS_URL_FILE")
	write(t, cache, "amqp://:hunter2@cache")
	_, err = Load(noDotenv, env)
	checkRefusal(t, err, "REDIS_URL_FILE")
	if err := os.Chmod(database, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = Load(noDotenv, env)
	checkRefusal(t, err, "DATABASE_URL_FILE")
}
