package backing

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// Caddy is a Caddy server.
type Caddy struct {
	service
	port int
}

// StartCaddy starts Caddy on a free port, in a folder of its own below dir, with
// some directives as its only site.
func StartCaddy(ctx context.Context, dir, directives string) (*Caddy, error) {
	server, err := program("caddy")
	if err != nil {
		return nil, err
	}
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	home, err := os.MkdirTemp(dir, "caddy-")
	if err != nil {
		return nil, err
	}
	c := &Caddy{port: port}
	text := fmt.Sprintf("{\n\tadmin off\n\tauto_https off\n}\nhttp://%s {\n%s\n}\n", c.Addr(), directives)
	file := filepath.Join(home, "Caddyfile")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	c.service = service{
		argv: []string{server, "run", "--config", file, "--adapter", "caddyfile"}, dir: home,
		env: []string{"HOME=" + home, "XDG_DATA_HOME=" + home, "XDG_CONFIG_HOME=" + home},
	}
	return c, c.start(ctx, func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.Addr())
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

// Addr returns host:port.
func (c *Caddy) Addr() string { return fmt.Sprintf("127.0.0.1:%d", c.port) }

// Stop ends the server; connections that are open are closed.
func (c *Caddy) Stop() error { return c.end(syscall.SIGKILL) }
