// Package wire is the far end's side of the wire, and no more of it than a load
// needs: it reads the beginning of each frame and passes over the rest, so that
// one core can take a hundred thousand of them a second.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// headBytes is how much of a frame is looked at: enough for all that Read tells.
const headBytes = 256

// Opcodes of RFC 6455, 5.2.
const (
	opText  = 1
	opClose = 8
	opPing  = 9
)

// ErrClosed is the end of a connection that the server announced.
var ErrClosed = errors.New("closed by the server")

// Decoder finds frames in what is read from a connection. Feed calls each with
// the beginning of every frame that has arrived whole; head is valid only
// during the call.
type Decoder interface {
	Feed(data []byte, each func(head []byte)) error
}

// Frames decodes WebSocket frames from a server. Its zero value is ready; it
// keeps no memory while no frame is cut by a read.
type Frames struct {
	head []byte // the beginning, with its header, of a frame that is not whole
	rest int    // bytes of it that nobody looks at and that are still to come
}

// Feed implements Decoder. A close frame is ErrClosed, with its code.
func (f *Frames) Feed(data []byte, each func(head []byte)) error {
	for len(data) > 0 {
		if f.rest > 0 {
			n := min(f.rest, len(data))
			data = data[n:]
			if f.rest -= n; f.rest > 0 {
				return nil
			}
			if err := f.emit(each); err != nil {
				return err
			}
			continue
		}
		if len(f.head) == 0 {
			start, size, ok := header(data)
			if ok && len(data) >= start+size { // whole: the common case copies nothing
				if err := handle(data[0], data[start:start+min(size, headBytes)], each); err != nil {
					return err
				}
				data = data[start+size:]
				continue
			}
		}
		var err error
		if data, err = f.collect(data, each); err != nil {
			return err
		}
	}
	return nil
}

// collect takes what belongs to the beginning of a frame that a read has cut.
func (f *Frames) collect(data []byte, each func(head []byte)) (left []byte, err error) {
	for len(data) > 0 {
		start, size, ok := header(f.head)
		if !ok {
			f.head, data = append(f.head, data[0]), data[1:]
			continue
		}
		want := start + min(size, headBytes)
		n := min(want-len(f.head), len(data))
		f.head, data = append(f.head, data[:n]...), data[n:]
		if len(f.head) < want {
			return nil, nil
		}
		if f.rest = size - min(size, headBytes); f.rest > 0 {
			return data, nil
		}
		return data, f.emit(each)
	}
	if start, size, ok := header(f.head); ok && size == 0 && len(f.head) == start {
		return nil, f.emit(each)
	}
	return nil, nil
}

func (f *Frames) emit(each func(head []byte)) error {
	start, _, _ := header(f.head)
	err := handle(f.head[0], f.head[start:], each)
	f.head = f.head[:0]
	return err
}

// handle passes on a text frame. The server's own pings are not answered: it sends none.
func handle(first byte, head []byte, each func(head []byte)) error {
	switch first & 0x0f {
	case opText:
		each(head)
	case opClose:
		if len(head) >= 2 {
			return fmt.Errorf("%w: %d %s", ErrClosed, binary.BigEndian.Uint16(head), head[2:])
		}
		return ErrClosed
	case opPing:
	default:
		return fmt.Errorf("a frame of kind %d", first&0x0f)
	}
	return nil
}

// header reads the header of an unmasked frame: where its payload starts and
// how long it is. It is not ok while bytes of it are missing.
func header(data []byte) (start, size int, ok bool) {
	if len(data) < 2 {
		return 0, 0, false
	}
	switch n := int(data[1] & 0x7f); {
	case n < 126:
		return 2, n, true
	case n == 126 && len(data) >= 4:
		return 4, int(binary.BigEndian.Uint16(data[2:])), true
	case n == 127 && len(data) >= 10:
		return 10, int(binary.BigEndian.Uint64(data[2:]) & 0x7fffffff), true //nolint:gosec // masked to 31 bits
	}
	return 0, 0, false
}

// AppendText appends a text frame from a device. Its masking key is zero, which
// costs us nothing and the server what every key costs.
func AppendText(data, text []byte) []byte {
	const final, masked = 0x80, 0x80
	data = append(data, final|opText)
	switch size := len(text); {
	case size < 126:
		data = append(data, masked|byte(size))
	case size <= 0xffff:
		data = binary.BigEndian.AppendUint16(append(data, masked|126), uint16(size))
	default:
		data = binary.BigEndian.AppendUint64(append(data, masked|127), uint64(size))
	}
	data = append(data, 0, 0, 0, 0)
	return append(data, text...)
}
