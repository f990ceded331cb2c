//go:build linux

package floor

import (
	"strings"
	"testing"
	"time"

	"social-server/internal/protocol"
	"social-server/internal/settings"
)

// A floor sends what the product sends, within the digits of its numbers, so
// that both write the same number of bytes.
func TestFramesHaveTheProductsSize(t *testing.T) {
	for _, size := range []int{20, 100, 16000} {
		value := `"` + strings.Repeat("x", size) + `"`
		product := protocol.Change("abcdefgh", settings.Change{From: 46, Revision: 47, Entries: []settings.Entry{{
			Key: settings.Key{Block: "bench", Name: "text"},
			Value: settings.Value{
				Text: value, Revision: 47, Device: "d_" + strings.Repeat("0", 26), At: time.Now(),
			},
		}}})
		frame := withHeader(appendChange(nil, 47, []byte(value)))
		header := 2
		if len(product.Data) >= 126 {
			header = 4
		}
		if len(frame) != header+len(product.Data) || frame[0] != 0x81 {
			t.Errorf("the floor's frame has %d bytes, the product's %d:\n%.300s\n%.300s", len(frame)-header, len(product.Data), frame[header:], product.Data)
		}
	}
}

func TestValueOf(t *testing.T) {
	value, ok := valueOf([]byte(`{"type":"patch","id":"1","set":{"bench":{"text":"hello"}}}`))
	if !ok || string(value) != `"hello"` {
		t.Errorf("%q, %v", value, ok)
	}
	for _, bad := range []string{"", `{"type":"pong"}`, `"text":`} {
		if _, ok := valueOf([]byte(bad)); ok {
			t.Errorf("%q has a value", bad)
		}
	}
}

func TestFlushes(t *testing.T) {
	flushes, writes, err := Flushes(t.TempDir(), 4096, 4, 20*time.Millisecond)
	if err != nil || flushes <= 0 || writes != 4*flushes {
		t.Errorf("%v flushes, %v writes, %v", flushes, writes, err)
	}
}
