//go:build linux

// Package floor is what a server of this kind cannot be faster than: bare
// programs that do the part of its work nobody can leave out. Fan-out is the
// first, the same with durability the second, and the disk alone the third.
package floor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Options say which floor it is.
type Options struct {
	Durable bool          // each change is stored before it is sent
	Dir     string        // of the database
	Delay   time.Duration // added to each commit
}

// Floor passes every message on to all connections of its user: no log-in, no
// state, one goroutine per connection, and no writer.
type Floor struct {
	ledger  *ledger // nil: nothing is stored
	readers sync.WaitGroup

	mu    sync.Mutex // guards the following field
	users map[string]*user
}

// user is the connections of one user.
type user struct {
	name string

	mu       sync.Mutex // guards the following; held while sockets are written to, which waits for none
	revision uint64
	conns    map[*conn]struct{}
}

// Serve runs a floor until ctx ends, and says on out where it listens.
func Serve(ctx context.Context, o Options, out io.Writer) (err error) {
	f := &Floor{users: make(map[string]*user)}
	if o.Durable {
		if f.ledger, err = openLedger(ctx, o.Dir, o.Delay, f.deliver); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.ledger.close()) }()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	handler := http.NewServeMux()
	handler.HandleFunc("GET /api/v1/users/{user}/ws", f.connect)
	handler.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	handler.HandleFunc("GET /debug/pprof/", pprof.Index)
	handler.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	fmt.Fprintf(out, "Floor is ready at http://%s\n", listener.Addr())
	select {
	case <-ctx.Done():
		err = server.Close()
		<-ended
	case err = <-ended:
	}
	f.hangUp()
	return err
}

// hangUp ends every connection and waits for its reader.
func (f *Floor) hangUp() {
	f.mu.Lock()
	for _, u := range f.users {
		u.mu.Lock()
		for c := range u.conns {
			_ = c.ws.Close() // its reader finds out
		}
		u.mu.Unlock()
	}
	f.mu.Unlock()
	f.readers.Wait()
}

var upgrader = websocket.Upgrader{
	ReadBufferSize: 1024, WriteBufferSize: 1024, WriteBufferPool: &sync.Pool{},
	Subprotocols: []string{"settings-sync.v1"},
}

// connect takes a connection over; its reader is a goroutine of its own, whose
// stack has never been larger than a reader needs.
func (f *Floor) connect(w http.ResponseWriter, r *http.Request) {
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	c, err := newConn(ws)
	if err != nil {
		_ = ws.Close() // nothing was promised yet
		return
	}
	u := f.user(r.PathValue("user"))
	u.mu.Lock()
	u.conns[c] = struct{}{}
	u.mu.Unlock()
	f.readers.Go(func() { f.read(u, c) })
}

func (f *Floor) user(name string) *user {
	f.mu.Lock()
	defer f.mu.Unlock()
	u := f.users[name]
	if u == nil {
		u = &user{name: name, conns: make(map[*conn]struct{})}
		f.users[name] = u
	}
	return u
}

// read passes on what a connection sends, until it ends.
func (f *Floor) read(u *user, c *conn) {
	defer func() {
		u.mu.Lock()
		delete(u.conns, c)
		u.mu.Unlock()
		_ = c.ws.Close() // it has ended
	}()
	for {
		_, text, err := c.ws.ReadMessage()
		if err != nil {
			return
		}
		value, ok := valueOf(text)
		if !ok {
			return
		}
		if f.ledger == nil {
			f.deliver(u, value)
		} else {
			f.ledger.add(u, value)
		}
	}
}

// deliver builds the frame once and writes it to every connection of the user.
func (f *Floor) deliver(u *user, value []byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.revision++
	room, _ := frames.Get().(*[]byte)
	defer frames.Put(room)
	*room = appendChange((*room)[:0], u.revision, value)
	frame := withHeader(*room)
	for c := range u.conns {
		c.write(frame)
	}
}

var frames = sync.Pool{New: func() any { return new([]byte) }}
