package backing

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// Nginx is an nginx server.
type Nginx struct {
	service
	port int
}

// StartNginx starts nginx in a folder of its own below dir. The configuration
// is given that folder and the port to listen on: 0 is a free one. It must say
// "daemon off".
func StartNginx(ctx context.Context, dir string, port int, configuration func(home string, port int) (string, error)) (*Nginx, error) {
	server, err := program("nginx", "/usr/sbin", "/usr/local/sbin") // not in everybody's PATH
	if err != nil {
		return nil, err
	}
	if port == 0 {
		if port, err = FreePort(); err != nil {
			return nil, err
		}
	} else if err := taken(port); err != nil {
		return nil, err
	}
	home, err := os.MkdirTemp(dir, "nginx-")
	if err != nil {
		return nil, err
	}
	text, err := configuration(home, port)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(home, "nginx.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	// One process: no worker is left behind if it is killed.
	argv := []string{server, "-p", home, "-c", file, "-e", "stderr", "-g", "master_process off;"}
	n := &Nginx{service{argv: argv, dir: home}, port}
	return n, n.Start(ctx)
}

// taken returns an error if another program listens on a port: nginx itself
// would try for seconds before it says so.
func taken(port int) error {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	return l.Close()
}

// Start starts a server that was stopped, and waits until it listens. A request
// would be passed on to whatever is behind it.
func (n *Nginx) Start(ctx context.Context) error {
	return n.start(ctx, func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", n.Addr())
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

// Addr returns host:port.
func (n *Nginx) Addr() string { return fmt.Sprintf("127.0.0.1:%d", n.port) }

// Stop ends the server; connections that are open are closed.
func (n *Nginx) Stop() error { return n.end(syscall.SIGTERM) }
