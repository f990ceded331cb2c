package wire

import (
	"bytes"
	"fmt"
	"strconv"
)

// Events decodes Server-Sent Events in a chunked HTTP/1.1 body. Its zero value
// is ready at the body's first byte.
type Events struct {
	size []byte // of the chunk that comes next, as far as it has arrived
	left int    // bytes of this chunk still to come
	tail int    // bytes of the line end after a chunk still to come

	line []byte // the beginning of the line that is being read
}

// Feed implements Decoder: a frame is the text of a data line.
func (e *Events) Feed(data []byte, each func(head []byte)) error {
	for len(data) > 0 {
		switch {
		case e.left > 0:
			n := min(e.left, len(data))
			e.text(data[:n], each)
			data, e.left = data[n:], e.left-n
			if e.left == 0 {
				e.tail = len("\r\n")
			}
		case e.tail > 0:
			n := min(e.tail, len(data))
			data, e.tail = data[n:], e.tail-n
		default:
			end := bytes.IndexByte(data, '\n')
			if end < 0 {
				e.size = append(e.size, data...)
				return nil
			}
			e.size = append(e.size, data[:end]...)
			size, err := strconv.ParseUint(string(bytes.TrimSpace(e.size)), 16, 31)
			if err != nil {
				return fmt.Errorf("a chunk of size %q", e.size)
			}
			if size == 0 {
				return ErrClosed
			}
			data, e.left, e.size = data[end+1:], int(size), e.size[:0]
		}
	}
	return nil
}

// text takes a piece of the stream, which may end anywhere in a line.
func (e *Events) text(piece []byte, each func(head []byte)) {
	for len(piece) > 0 {
		end := bytes.IndexByte(piece, '\n')
		part := piece
		if end >= 0 {
			part = piece[:end]
		}
		e.line = append(e.line, part[:min(len(part), headBytes-len(e.line))]...)
		if end < 0 {
			return
		}
		if frame, ok := bytes.CutPrefix(e.line, []byte("data: ")); ok {
			each(frame)
		}
		e.line = e.line[:0]
		piece = piece[end+1:]
	}
}
