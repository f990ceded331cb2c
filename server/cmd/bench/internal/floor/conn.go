//go:build linux

package floor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

// conn is one connection.
type conn struct {
	ws  *websocket.Conn
	net net.Conn
	raw syscall.RawConn

	mu   sync.Mutex // guards the following field
	rest []byte     // what a full socket did not take; a goroutine writes it while there is any
}

var errNotTCP = errors.New("not a TCP connection")

func newConn(ws *websocket.Conn) (*conn, error) {
	tcp, ok := ws.NetConn().(*net.TCPConn)
	if !ok {
		return nil, errNotTCP
	}
	raw, err := tcp.SyscallConn()
	return &conn{ws: ws, net: tcp, raw: raw}, err
}

// write hands data to the socket without waiting. Only what a full socket does
// not take gets a goroutine.
func (c *conn) write(data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.rest) > 0 {
		c.rest = append(c.rest, data...)
		return
	}
	n := 0
	err := c.raw.Write(func(fd uintptr) bool {
		n, _ = syscall.Write(int(fd), data) //nolint:gosec // a descriptor; a failure shows as nothing written
		return true
	})
	if n = max(n, 0); err == nil && n < len(data) {
		c.rest = append(c.rest, data[n:]...)
		go c.finish()
	}
}

// finish writes what is left, until nothing is or the connection has ended.
func (c *conn) finish() {
	for {
		c.mu.Lock()
		rest := c.rest
		c.mu.Unlock()
		_, err := c.net.Write(rest)
		c.mu.Lock()
		if c.rest = c.rest[len(rest):]; len(c.rest) == 0 || err != nil {
			c.rest = nil
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
	}
}

// valueOf finds the value in a patch, and does not look at the rest.
func valueOf(text []byte) ([]byte, bool) {
	const name = `"text":`
	at := bytes.Index(text, []byte(name))
	end := bytes.LastIndexByte(text, '"')
	if at < 0 || end < at+len(name) {
		return nil, false
	}
	return text[at+len(name) : end+1], true
}

// headerRoom is the longest header of a frame.
const headerRoom = 10

// appendChange appends a change as the product sends it, of the same size, with
// room before it for the frame's header.
func appendChange(data []byte, revision uint64, value []byte) []byte {
	data = append(data, make([]byte, headerRoom)...)
	data = append(data, `{"type":"change","epoch":"floorfl8","from":`...)
	data = strconv.AppendUint(data, revision-1, 10)
	data = append(data, `,"revision":`...)
	data = strconv.AppendUint(data, revision, 10)
	data = append(data, `,"values":{"bench":{"text":{"value":`...)
	data = append(data, value...)
	data = append(data, `,"revision":`...)
	data = strconv.AppendUint(data, revision, 10)
	data = append(data, `,"device":"d_0123456789abcdef0123456789","at":"`...)
	data = time.Now().UTC().AppendFormat(data, "2006-01-02T15:04:05.000Z")
	return append(data, `"}}}}`...)
}

// withHeader puts the header of a text frame right before its payload, in the
// room that was left for it.
func withHeader(data []byte) []byte {
	const room = headerRoom
	size := len(data) - room
	switch {
	case size < 126:
		data = data[room-2:]
		data[1] = byte(size)
	case size <= 0xffff:
		data = data[room-4:]
		data[1] = 126
		binary.BigEndian.PutUint16(data[2:], uint16(size))
	default:
		data[1] = 127
		binary.BigEndian.PutUint64(data[2:], uint64(size))
	}
	data[0] = 0x81
	return data
}
