package api_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// rawSocket is a WebSocket of which a test writes every byte itself.
type rawSocket struct {
	t    *testing.T
	conn *net.TCPConn
	in   *bufio.Reader
}

// dialRaw upgrades with extra header lines and returns the socket, or the
// status that was answered instead.
func (c *client) dialRaw(lines ...string) (*rawSocket, int) {
	c.w.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.w.server.URL, "http://"))
	if err != nil {
		c.w.t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		c.w.t.Fatal(err)
	}
	head := append([]string{
		"GET /api/v1/users/TestUser6/ws HTTP/1.1", "Host: " + conn.RemoteAddr().String(), "Upgrade: websocket",
		"Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
	}, lines...)
	if _, err := io.WriteString(conn, strings.Join(head, "\r\n")+"\r\n\r\n"); err != nil {
		c.w.t.Fatal(err)
	}
	s := &rawSocket{t: c.w.t, conn: conn.(*net.TCPConn), in: bufio.NewReader(conn)}
	answer, err := http.ReadResponse(s.in, nil)
	if err != nil {
		c.w.t.Fatal(err)
	}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		_ = answer.Body.Close()
		_ = conn.Close()
	}
	return s, answer.StatusCode
}

// joinRaw upgrades and opens the session.
func (c *client) joinRaw(t *testing.T) *rawSocket {
	t.Helper()
	s, status := c.dialRaw("Authorization: Bearer " + c.token)
	if status != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade: %d", status)
	}
	s.t = t
	s.write(text(`{"type":"hello"}`))
	for ready := false; ; {
		kind, payload := s.read()
		if kind != 1 || strings.HasPrefix(payload, `{"type":"ack","id":"end"`) {
			return s
		}
		if !ready && strings.HasPrefix(payload, `{"type":"ready"`) {
			ready = true
			s.write(endMark)
		}
	}
}

// write sends bytes; a peer that has closed already is no failure of the test.
func (s *rawSocket) write(data []byte) { _, _ = s.conn.Write(data) }

// read returns the next frame from the server: its opcode, -1 at the end.
func (s *rawSocket) read() (kind int, payload string) {
	s.t.Helper()
	var head [2]byte
	if _, err := io.ReadFull(s.in, head[:]); err != nil {
		return -1, ""
	}
	size := uint64(head[1] & 0x7f)
	if head[1]&0x80 != 0 || head[0]&0x70 != 0 || head[0]&0x80 == 0 {
		s.t.Errorf("the server sent a frame that begins with %x", head)
	}
	switch size {
	case 126:
		var long [2]byte
		_, _ = io.ReadFull(s.in, long[:])
		size = uint64(binary.BigEndian.Uint16(long[:]))
	case 127:
		var long [8]byte
		_, _ = io.ReadFull(s.in, long[:])
		size = binary.BigEndian.Uint64(long[:])
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(s.in, body); err != nil {
		return -1, ""
	}
	return int(head[0] & 0x0f), string(body)
}

// outcome reads until the server closes, or answers the patch "end". It names
// what came: change, ack, refused, pong:payload, close:code. Hints are left out.
func (s *rawSocket) outcome() string {
	s.t.Helper()
	var all []string
	for {
		kind, payload := s.read()
		switch kind {
		case -1:
			return strings.Join(all, " ")
		case 8:
			name := "close:"
			if len(payload) >= 2 {
				name += fmt.Sprint(binary.BigEndian.Uint16([]byte(payload)))
			}
			all = append(all, name)
			_ = s.conn.CloseWrite() // whatever else comes is listed too
		case 10:
			all = append(all, "pong:"+payload)
		case 1:
			word := strings.Split(payload, `"`)[3]
			if word == "ack" && strings.Contains(payload, `"id":"end"`) {
				_ = s.conn.Close()
				return strings.Join(all, " ")
			}
			if word == "change" || word == "ack" || word == "refused" {
				all = append(all, word)
			}
		default:
			s.t.Errorf("the server sent opcode %d", kind)
		}
	}
}

// endMark is a patch whose ack comes after the answer to everything before it.
// It is repeated, and so changes something only the first time: see joinRaw.
var endMark = text(`{"type":"patch","id":"end","set":{"user":{"acceptedTerms":true}}}`)

// frame is a masked frame whose first byte is given: FIN, RSV and opcode.
func frame(first byte, payload string) []byte { return longFrame(first, payload, 0) }

// longFrame is frame with a length of 16 or 64 bits even where a shorter one
// would do; 0 picks the shortest.
func longFrame(first byte, payload string, bits int) []byte {
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	data := []byte{first}
	switch n := len(payload); {
	case n < 126 && bits == 0:
		data = append(data, 0x80|byte(n))
	case n <= 0xffff && bits < 64:
		data = binary.BigEndian.AppendUint16(append(data, 0x80|126), uint16(n))
	default:
		data = binary.BigEndian.AppendUint64(append(data, 0x80|127), uint64(n))
	}
	data = append(data, mask[:]...)
	for i := range len(payload) {
		data = append(data, payload[i]^mask[i%4])
	}
	return data
}

// unmasked is a short frame as only a server may send it.
func unmasked(first byte, payload string) []byte {
	return append([]byte{first, byte(len(payload))}, payload...)
}

// text is a whole text message.
func text(payload string) []byte { return frame(0x81, payload) }

// closing is the payload of a close frame.
func closing(code int, reason string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(code))) + reason
}

// join puts frames behind one another.
func join(frames ...[]byte) (all []byte) {
	for _, f := range frames {
		all = append(all, f...)
	}
	return all
}

// pieces is a text message in fragments of a size.
func pieces(payload string, size int) (all []byte) {
	first := byte(0x01)
	for len(payload) > size {
		all = append(all, frame(first, payload[:size])...)
		payload, first = payload[size:], 0x00
	}
	return append(all, frame(first|0x80, payload)...)
}
