package backing

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// Redis is a Redis server that keeps nothing on disk.
type Redis struct {
	service
	port int
}

// StartRedis starts a Redis server in a folder of its own below dir, with
// further arguments such as "--cluster-enabled", "yes".
func StartRedis(ctx context.Context, dir string, args ...string) (*Redis, error) {
	server, err := program("redis-server")
	if err != nil {
		return nil, err
	}
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	home, err := os.MkdirTemp(dir, "redis-")
	if err != nil {
		return nil, err
	}
	argv := append([]string{
		server, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no",
	}, args...)
	r := &Redis{service{argv: argv, dir: home}, port}
	return r, r.Start(ctx)
}

// Start starts a server that was stopped or killed, empty, and waits until it serves.
func (r *Redis) Start(ctx context.Context) error {
	return r.start(ctx, func(ctx context.Context) error {
		client := r.Client()
		return errors.Join(client.Ping(ctx).Err(), client.Close())
	})
}

// Client returns a client of the server, which the caller closes.
func (r *Redis) Client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: r.Addr(), MaxRetries: -1, DisableIdentity: true})
}

// Addr returns host:port.
func (r *Redis) Addr() string { return fmt.Sprintf("127.0.0.1:%d", r.port) }

// URL returns the server's address, as REDIS_URL takes it.
func (r *Redis) URL() string { return "redis://" + r.Addr() }

// Stop ends the server in order.
func (r *Redis) Stop() error { return r.end(syscall.SIGTERM) }

// Kill ends it at once.
func (r *Redis) Kill() error { return r.end(syscall.SIGKILL) }

// Freeze stops the process where it is; Thaw lets it go on.
func (r *Redis) Freeze() error { return r.signal(syscall.SIGSTOP) }

// Thaw ends Freeze.
func (r *Redis) Thaw() error { return r.signal(syscall.SIGCONT) }
