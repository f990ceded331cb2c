package wire

import (
	"bytes"
	"fmt"
	"strconv"
)

// Kind is the type of a frame from the server.
type Kind int

// The kinds a load has to tell apart.
const (
	Other Kind = iota
	Change
	Ready
	Ack
	Refused
	Ping
)

var prefixes = []struct {
	text []byte
	kind Kind
}{
	{[]byte(`{"type":"change",`), Change},
	{[]byte(`{"type":"ack",`), Ack},
	{[]byte(`{"type":"ready",`), Ready},
	{[]byte(`{"type":"refused",`), Refused},
	{[]byte(`{"type":"ping",`), Ping},
}

// Mark names a change: the run it belongs to, and its place in it. It is the
// patch's id and the beginning of its value, so that it comes back in both.
type Mark struct {
	Run uint32
	Seq int32
}

// markBytes is the length of a mark in a frame.
const markBytes = len("0123abcd.000000000")

// AppendTo appends the mark as it stands in a frame.
func (m Mark) AppendTo(data []byte) []byte {
	const hex = "0123456789abcdef"
	for shift := 28; shift >= 0; shift -= 4 {
		data = append(data, hex[m.Run>>shift&0xf])
	}
	data = append(data, '.', '0', '0', '0', '0', '0', '0', '0', '0', '0')
	for at, n := len(data)-1, m.Seq; n > 0; at, n = at-1, n/10 {
		data[at] = byte('0' + n%10)
	}
	return data
}

// readMark reads a mark at the beginning of a text.
func readMark(text []byte) (m Mark, ok bool) {
	if len(text) < markBytes || text[8] != '.' {
		return Mark{}, false
	}
	for _, c := range text[:8] {
		switch {
		case '0' <= c && c <= '9':
			m.Run = m.Run<<4 | uint32(c-'0')
		case 'a' <= c && c <= 'f':
			m.Run = m.Run<<4 | uint32(c-'a'+10)
		default:
			return Mark{}, false
		}
	}
	for _, c := range text[9:markBytes] {
		if c < '0' || c > '9' {
			return Mark{}, false
		}
		m.Seq = m.Seq*10 + int32(c-'0')
	}
	return m, true
}

// Note is what the beginning of a frame says.
type Note struct {
	Kind     Kind
	Epoch    []byte // of a change; part of the head
	From     uint64 // of a change
	Revision uint64 // of a change, an ack or a ping
	Mark     Mark   // of an ack or a refusal, and of a change's first value
	Marked   bool   // whether there is one
}

// Read reads the beginning of a frame from the server.
func Read(head []byte) Note {
	var n Note
	for _, p := range prefixes {
		if bytes.HasPrefix(head, p.text) {
			n.Kind = p.kind
			head = head[len(p.text):]
			break
		}
	}
	switch n.Kind {
	case Change:
		n.Epoch = after(head, `"epoch":"`, '"')
		n.From = number(head, `"from":`)
		n.Revision = number(head, `"revision":`)
		n.mark(head, `"value":"`)
	case Ack:
		n.Revision = number(head, `"revision":`)
		n.mark(head, `"id":"`)
	case Refused:
		n.mark(head, `"id":"`)
	case Ping:
		n.Revision = number(head, `"revision":`)
	}
	return n
}

func (n *Note) mark(head []byte, name string) {
	if at := bytes.Index(head, []byte(name)); at >= 0 {
		n.Mark, n.Marked = readMark(head[at+len(name):])
	}
}

// after returns the text between a name and an end.
func after(head []byte, name string, end byte) []byte {
	at := bytes.Index(head, []byte(name))
	if at < 0 {
		return nil
	}
	rest := head[at+len(name):]
	if stop := bytes.IndexByte(rest, end); stop >= 0 {
		return rest[:stop]
	}
	return nil
}

// number returns the number after a name; 0 if there is none.
func number(head []byte, name string) (n uint64) {
	at := bytes.Index(head, []byte(name))
	if at < 0 {
		return 0
	}
	for _, c := range head[at+len(name):] {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + uint64(c-'0')
	}
	return n
}

// AppendPatch appends the text of a patch whose value has size bytes.
func AppendPatch(data []byte, m Mark, size int) []byte {
	data = append(data, `{"type":"patch","id":"`...)
	data = m.AppendTo(data)
	data = append(data, `","set":`...)
	return append(appendSet(data, m, size), '}')
}

// appendSet appends the setting every change is about.
func appendSet(data []byte, m Mark, size int) []byte {
	data = append(data, `{"bench":{"text":"`...)
	data = m.AppendTo(data)
	for n := size - markBytes; n > 0; {
		part := padding[:min(n, len(padding))]
		data = append(data, part...)
		n -= len(part)
	}
	return append(data, `"}}`...)
}

var padding = bytes.Repeat([]byte("settings are kept in sync. "), 38)

// Schema is the JSON Schema of what AppendPatch sets.
const Schema = `{"$schema":"https://json-schema.org/draft/2020-12/schema","title":"Benchmark","type":"object",
"properties":{"bench":{"type":"object","properties":{"text":{"type":"string","maxLength":65536,"default":""}}}}}`

// AppendHello appends the text of a hello; revision 0 is first contact.
func AppendHello(data []byte, epoch string, revision uint64) []byte {
	if revision == 0 {
		return append(data, `{"type":"hello"}`...)
	}
	return fmt.Appendf(data, `{"type":"hello","resume":{"epoch":%q,"revision":%d}}`, epoch, revision)
}

// AppendPong appends the text of the answer to a ping.
func AppendPong(data []byte, seen uint64) []byte {
	data = append(data, `{"type":"pong","seen":`...)
	return append(strconv.AppendUint(data, seen, 10), '}')
}

// AppendUpgrade appends the request that opens a WebSocket.
func AppendUpgrade(data []byte, user, token string) []byte {
	return fmt.Appendf(data, "GET /api/v1/users/%s/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: settings-sync.v1\r\n"+
		"Authorization: Bearer %s\r\n\r\n", user, token)
}

// AppendStream appends the request that opens an SSE stream.
func AppendStream(data []byte, user, token string) []byte {
	return fmt.Appendf(data, "GET /api/v1/users/%s/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"+
		"Authorization: Bearer %s\r\n\r\n", user, token)
}
