package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// serverFrame is a frame as a server sends it: unmasked.
func serverFrame(op byte, payload string) []byte {
	data := []byte{0x80 | op}
	switch size := len(payload); {
	case size < 126:
		data = append(data, byte(size))
	case size <= 0xffff:
		data = binary.BigEndian.AppendUint16(append(data, 126), uint16(size))
	default:
		data = binary.BigEndian.AppendUint64(append(data, 127), uint64(size))
	}
	return append(data, payload...)
}

// feed hands data to a decoder in pieces of n bytes and returns what it found.
func feed(t *testing.T, d Decoder, data []byte, n int) (heads []string, err error) {
	t.Helper()
	for piece := range slices.Chunk(data, n) {
		if err = d.Feed(piece, func(head []byte) { heads = append(heads, string(head)) }); err != nil {
			break
		}
	}
	return heads, err
}

// Wherever reads cut the stream, the same frames are found, and each only once it is whole.
func TestFramesCutAnywhere(t *testing.T) {
	sizes := []int{0, 1, 125, 126, headBytes - 1, headBytes, headBytes + 1, 0xffff, 0x10000, 3}
	var stream []byte
	var want []string
	for i, size := range sizes {
		payload := strings.Repeat(string(rune('a'+i)), size)
		stream = append(stream, serverFrame(opText, payload)...)
		stream = append(stream, serverFrame(opPing, "x")...)
		want = append(want, payload[:min(size, headBytes)])
	}
	for _, n := range []int{1, 2, 3, 7, 100, 126, 256, 258, 260, 4096, len(stream)} {
		got, err := feed(t, &Frames{}, stream, n)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("in pieces of %d: %d frames, want %d; %v", n, len(got), len(want), err)
		}
	}
	frame := serverFrame(opText, strings.Repeat("z", 1000))
	if got, _ := feed(t, &Frames{}, frame[:len(frame)-1], 300); len(got) != 0 {
		t.Error("a frame that is not whole was found")
	}
}

func TestFramesEnd(t *testing.T) {
	closing := binary.BigEndian.AppendUint16(nil, 4002)
	_, err := feed(t, &Frames{}, serverFrame(opClose, string(closing)+"too slow"), 1)
	if !errors.Is(err, ErrClosed) || !strings.Contains(err.Error(), "4002 too slow") {
		t.Errorf("a close is %v", err)
	}
	if _, err := feed(t, &Frames{}, serverFrame(2, "x"), 1); err == nil {
		t.Error("a binary frame is no failure")
	}
}

// What is sent is what a server reads.
func TestTextIsReadByAServer(t *testing.T) {
	for _, size := range []int{0, 125, 126, 0xffff, 0x10000} {
		text := strings.Repeat("q", size)
		data := AppendText(nil, []byte(text))
		_, payload, ok := unmask(data)
		if !ok || payload != text {
			t.Errorf("%d bytes come out as %d", size, len(payload))
		}
	}
}

// unmask reads a masked frame as RFC 6455 says.
func unmask(data []byte) (op int, payload string, ok bool) {
	if data[1]&0x80 == 0 {
		return 0, "", false
	}
	bare := append([]byte{data[0], data[1] &^ 0x80}, data[2:]...)
	start, size, ok := header(bare)
	if !ok || len(bare) != start+4+size {
		return 0, "", false
	}
	key, body := bare[start:start+4], bare[start+4:]
	for i := range body {
		body[i] ^= key[i%4]
	}
	return int(data[0] & 0x0f), string(body), data[0]&0x80 != 0 && int(data[0]&0x0f) == websocket.TextMessage
}

// Wherever chunks and reads cut the stream, the same events are found.
func TestEventsCutAnywhere(t *testing.T) {
	long := `{"type":"change","x":"` + strings.Repeat("y", 2000) + `"}`
	text := "retry: 1234\n\n" + "event: ready\ndata: {\"type\":\"ready\"}\n\n:\n\n" + "event: change\nid: k.7\ndata: " + long + "\n\n"
	want := []string{`{"type":"ready"}`, long[:headBytes-len("data: ")]}
	for _, chunk := range []int{1, 5, 16, 1000, len(text)} {
		var stream []byte
		for piece := range slices.Chunk([]byte(text), chunk) {
			stream = fmt.Appendf(stream, "%x\r\n%s\r\n", len(piece), piece)
		}
		for _, n := range []int{1, 2, 3, 64, len(stream)} {
			got, err := feed(t, &Events{}, stream, n)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("chunks of %d, reads of %d: %q, %v", chunk, n, got, err)
			}
		}
	}
	if _, err := feed(t, &Events{}, []byte("0\r\n\r\n"), 1); !errors.Is(err, ErrClosed) {
		t.Errorf("the end of a stream is %v", err)
	}
}

func TestMark(t *testing.T) {
	for _, m := range []Mark{{}, {0xdeadbeef, 999_999_999}, {1, 1}, {0xffffffff, 42}} {
		text := m.AppendTo(nil)
		if got, ok := readMark(text); !ok || got != m || len(text) != markBytes {
			t.Errorf("%+v became %q and %+v", m, text, got)
		}
	}
	for _, bad := range []string{"", "0123abcd.00000000", "0123abcx.000000000", "0123abcd-000000000", "0123abcd.00000000x"} {
		if _, ok := readMark([]byte(bad)); ok {
			t.Errorf("%q was read as a mark", bad)
		}
	}
}

// A patch has the size it was asked for, and carries its mark in both places.
func TestPatch(t *testing.T) {
	m := Mark{7, 12}
	for _, size := range []int{markBytes, 100, 16000} {
		text := AppendPatch(nil, m, size)
		value := after(text, `"text":"`, '"')
		if got, ok := readMark(value); !ok || got != m || len(value) != size {
			t.Errorf("a value of %d bytes has %d: %.40q", size, len(value), value)
		}
		if id, _ := readMark(after(text, `"id":"`, '"')); id != m {
			t.Errorf("the id is that of %+v", id)
		}
	}
}

// The frames of the product are read as what they are: its golden files say so.
func TestReadGolden(t *testing.T) {
	files, err := filepath.Glob("../../../../internal/protocol/testdata/server/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden frames", err)
	}
	kinds := map[string]Kind{"change": Change, "ready": Ready, "ack": Ack, "refused": Refused, "ping": Ping}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Clean(file))
		if err != nil {
			t.Fatal(err)
		}
		text = bytes.TrimSpace(text)
		n := Read(text[:min(len(text), headBytes)])
		if kind := string(after(text, `"type":"`, '"')); n.Kind != kinds[kind] {
			t.Errorf("%s: a %s is kind %d", file, kind, n.Kind)
		}
		switch n.Kind {
		case Change:
			if want := fmt.Sprintf(`"epoch":%q,"from":%d,"revision":%d,`, n.Epoch, n.From, n.Revision); !bytes.Contains(text, []byte(want)) {
				t.Errorf("%s: read as %s", file, want)
			}
		case Ack, Ping:
			if want := fmt.Sprintf(`"revision":%d`, n.Revision); !bytes.Contains(text, []byte(want)) {
				t.Errorf("%s: read as %s", file, want)
			}
		}
	}
}

// A change of ours is known by its mark, an ack by its id.
func TestReadMarks(t *testing.T) {
	m := Mark{0xabc, 77}
	mark := string(m.AppendTo(nil))
	for text, want := range map[string]Note{
		`{"type":"change","epoch":"k3f9","from":4,"revision":5,"values":{"bench":{"text":{"value":"` + mark + `pad`: {
			Kind: Change, Epoch: []byte("k3f9"), From: 4, Revision: 5, Mark: m, Marked: true},
		`{"type":"ack","id":"` + mark + `","revision":5,"overwrote":{"bench":{"text":{"value":"x","revision":3`: {
			Kind: Ack, Revision: 5, Mark: m, Marked: true},
		`{"type":"refused","id":"` + mark + `","code":"unavailable"`: {Kind: Refused, Mark: m, Marked: true},
	} {
		if got := Read([]byte(text)); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s\n got %+v\nwant %+v", text, got, want)
		}
	}
}
