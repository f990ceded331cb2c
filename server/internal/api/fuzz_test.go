package api

import (
	"testing"

	"social-server/internal/protocol"
)

// FuzzParseVersion reads cursors: Last-Event-ID, since, If-Match. What is one
// is written back as it was, but for leading zeros.
func FuzzParseVersion(f *testing.F) {
	for _, text := range []string{"k3f9.41", "k3f9.0", "k3f9.", ".4", "k.3.f", "k3f9.-1", "k3f9.9007199254740993", "", "k3f9.007", `W/"k3f9.41"`, `"k3f9.41-gzip"`, `"`, `" .0"`, `W/W/k3f9.1`, `""k3f9.1""`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, ok := parseVersion(text)
		if !ok {
			return
		}
		again, ok := parseVersion(protocol.VersionID(at.Epoch, at.Revision))
		if !ok || again != at || at.Revision >= 1<<53 {
			t.Fatalf("%q is %+v, and then %+v", text, at, again)
		}
	})
}
