package account

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"social-server/internal/errs"
)

// FuzzVerify looks for claims that are accepted though nobody signed them. Of
// one token there are several spellings (base64 has bits to spare): its claims count.
func FuzzVerify(f *testing.F) {
	now := func() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }
	t, err := newTokens([][]byte{bytes.Repeat([]byte("k"), 32)}, time.Minute, now, strings.NewReader(strings.Repeat("random", 100)))
	if err != nil {
		f.Fatal(err)
	}
	good, _, err := t.sign("d_1", "l_1")
	if err != nil {
		f.Fatal(err)
	}
	signed, err := t.verify(good)
	if err != nil {
		f.Fatal(err)
	}
	for _, token := range []string{good, "", "..", "a.b.c", good + ".", good[:len(good)-1], "eyJhbGciOiJub25lIn0.e30."} {
		f.Add(token)
	}
	f.Fuzz(func(test *testing.T, token string) {
		switch c, err := t.verify(token); {
		case err == nil && (c != signed || token != good): // a token has one spelling
			test.Fatalf("%q was accepted as %+v", token, c)
		case err != nil && !errs.Is(err, errs.Unauthorized) && !errs.Is(err, errs.Expired):
			test.Fatalf("%q: %v", token, err)
		}
	})
}
