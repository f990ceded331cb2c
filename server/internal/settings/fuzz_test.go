package settings

import (
	"strings"
	"testing"
	"time"

	"social-server/internal/errs"
)

// FuzzParseSet reads merge patches, and asks the schema about what it read. A
// value keeps its text, and none takes long to judge.
func FuzzParseSet(f *testing.F) {
	for _, text := range []string{
		`{"billing":{"salary":3000},"user":{"email":null}}`, `{"billing":null}`, `{"user":{"username":"Zo\u00eb"}}`,
		`{"billing":{"salary":1e999999999}}`, `{"a":{"b":[[{"c":-0.0}]]}}`, `{"billing":{"salary":1,"salary":2}}`, `[]`, ``,
	} {
		f.Add(text)
	}
	schema := DemoSchema()
	f.Fuzz(func(t *testing.T, text string) {
		began := time.Now()
		set, err := ParseSet([]byte(text), schema.BlockKeys)
		if err != nil {
			if !errs.Is(err, errs.Malformed) && !errs.Is(err, errs.Invalid) { // the latter: an unknown block
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		for i, a := range set {
			if !strings.Contains(text, a.Text) {
				t.Fatalf("%q became %q", text, a.Text)
			}
			if i > 0 && set[i-1].Key.Compare(a.Key) >= 0 {
				t.Fatalf("%q: keys out of order or twice: %v", text, set)
			}
			_ = schema.Check(a.Key, a.Text) // its answer is another test's
		}
		if took := time.Since(began); took > time.Second {
			t.Fatalf("%d bytes took %v", len(text), took)
		}
	})
}
