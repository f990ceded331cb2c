package backing

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// postgresFolders is where Debian keeps the server's programs, which are not in PATH.
const postgresFolders = "/usr/lib/postgresql/*/bin"

// Postgres is a PostgreSQL server.
type Postgres struct {
	service
	port int
}

// StartPostgres makes a PostgreSQL cluster in a folder of its own below dir and
// starts it. The settings are added to its configuration, as "name=value".
// Durability is as it comes: fsync and synchronous_commit are on.
func StartPostgres(ctx context.Context, dir string, settings ...string) (*Postgres, error) {
	initdb, err := program("initdb", postgresFolders)
	if err != nil {
		return nil, err
	}
	server, err := program("postgres", postgresFolders)
	if err != nil {
		return nil, err
	}
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	home, as, err := postgresHome(dir)
	if err != nil {
		return nil, err
	}
	cluster := filepath.Join(home, "cluster")
	setUp := exec.CommandContext(ctx, initdb, "-D", cluster, "-U", "social", "-A", "trust", "-E", "UTF8", "--locale=C", "-N") // #nosec G204 -- PostgreSQL's own
	setUp.SysProcAttr, setUp.Dir = ownProcess(as), home
	if out, err := setUp.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	argv := []string{server, "-D", cluster, "-p", strconv.Itoa(port), "-h", "127.0.0.1", "-k", home}
	for _, one := range settings {
		argv = append(argv, "-c", one)
	}
	p := &Postgres{service{argv: argv, dir: home, as: as}, port}
	return p, p.Start(ctx)
}

// postgresHome makes the folder of a cluster. PostgreSQL does not run as root:
// then the folder, and the process, belong to the account its package made.
func postgresHome(dir string) (home string, as *syscall.Credential, err error) {
	if home, err = os.MkdirTemp(dir, "postgres-"); err != nil {
		return "", nil, err
	}
	if os.Getuid() != 0 {
		return home, nil, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return "", nil, err
	}
	uid, errUID := strconv.ParseUint(account.Uid, 10, 32)
	gid, errGID := strconv.ParseUint(account.Gid, 10, 32)
	for parent := filepath.Dir(home); parent != filepath.Dir(parent) && strings.HasPrefix(parent, os.TempDir()+"/"); parent = filepath.Dir(parent) {
		err = errors.Join(err, os.Chmod(parent, 0o711)) // #nosec G302 -- to pass through, on the way to its own folder
	}
	return home, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)},
		errors.Join(err, errUID, errGID, os.Chown(home, int(uid), int(gid)))
}

// Start starts a server that was stopped or killed, and waits until it serves.
func (p *Postgres) Start(ctx context.Context) error {
	return p.start(ctx, func(ctx context.Context) error {
		conn, err := pgx.Connect(ctx, p.URL("postgres"))
		if err != nil {
			return err
		}
		return conn.Close(ctx)
	})
}

// Addr returns host:port.
func (p *Postgres) Addr() string { return fmt.Sprintf("127.0.0.1:%d", p.port) }

// URL returns the address of a database, as DATABASE_URL takes it.
func (p *Postgres) URL(database string) string {
	return fmt.Sprintf("postgres://social@%s/%s?sslmode=disable", p.Addr(), database)
}

// Stop ends the server as pg_ctl -m fast does: sessions are ended, data is flushed.
func (p *Postgres) Stop() error { return p.end(syscall.SIGINT) }

// StopNow ends the server as pg_ctl -m immediate does: what follows a start is
// the recovery from a crash.
func (p *Postgres) StopNow() error { return p.end(syscall.SIGQUIT) }

// Freeze stops every process of the server where it is; Thaw lets them go on.
// New connections are still taken by the kernel, and nobody answers.
func (p *Postgres) Freeze() error { return p.signalAll(syscall.SIGSTOP) }

// Thaw ends Freeze.
func (p *Postgres) Thaw() error { return p.signalAll(syscall.SIGCONT) }

// signalAll signals the server and its children: each is a group of its own.
func (p *Postgres) signalAll(sig syscall.Signal) error {
	p.mu.Lock()
	pid := p.cmd.Process.Pid
	p.mu.Unlock()
	if err := p.signal(sig); err != nil {
		return err
	}
	children, err := childrenOf(pid)
	for _, child := range children {
		if e := syscall.Kill(child, sig); !errors.Is(e, syscall.ESRCH) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// childrenOf returns the ids of a process's children.
func childrenOf(pid int) ([]int, error) {
	processes, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	var children []int
	for _, file := range processes {
		text, err := os.ReadFile(filepath.Clean(file))
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ") // past the name, which may hold spaces
		fields := strings.Fields(rest)
		if len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			child, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			if err != nil {
				return nil, err
			}
			children = append(children, child)
		}
	}
	return children, nil
}

// CreateDatabase makes a database, empty or as a copy of another one that
// nobody is connected to ("" is empty).
func (p *Postgres) CreateDatabase(ctx context.Context, name, like string) error {
	conn, err := pgx.Connect(ctx, p.URL("postgres"))
	if err != nil {
		return err
	}
	text := "CREATE DATABASE " + pgx.Identifier{name}.Sanitize()
	if like != "" {
		text += " TEMPLATE " + pgx.Identifier{like}.Sanitize()
	}
	_, err = conn.Exec(ctx, text)
	return errors.Join(err, conn.Close(ctx))
}
