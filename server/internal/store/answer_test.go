package store

import (
	"encoding/hex"
	"math"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"social-server/internal/settings"
)

// An answer is written by hand just as the encoder would write it.
func TestEncodeAnswer(t *testing.T) {
	moved := []settings.Entry{{
		Key:   settings.Key{Block: "billing", Name: "salary"},
		Value: settings.Value{Text: `"1\u00e9"`, Revision: 3, Device: "d_1", At: noon},
	}}
	for _, a := range []settings.Answer{
		{}, {Revision: 1}, {Revision: 1<<53 - 1}, {Revision: math.MaxUint64}, {Revision: 7, Overwrote: moved}, {Revision: 7, Conflict: moved}, {Conflict: moved},
	} {
		text, err := encodeAnswer(a)
		want, failed := json.Marshal(answerRow{a.Revision, entryRows(a.Overwrote), entryRows(a.Conflict)})
		if err != nil || failed != nil || text != string(want) {
			t.Errorf("%+v is %s, want %s (%v, %v)", a, text, want, err, failed)
		}
	}
}

func TestHashText(t *testing.T) {
	hash := write("u_1", "d_1", "a", `{"billing":{"salary":1}}`).Hash
	if got := hashText(hash); got != hex.EncodeToString(hash[:]) {
		t.Errorf("%x is %s", hash, got)
	}
}

// A stamper that has written one time writes another one no less well.
func TestStamper(t *testing.T) {
	var s stamper
	elsewhere := time.FixedZone("", 3600)
	for _, at := range []time.Time{{}, noon, noon.In(elsewhere), noon.Add(time.Millisecond), noon} {
		if got, want := s.stamp(at), at.UTC().Format(stampLayout); got != want {
			t.Errorf("%v is %s, want %s", at, got, want)
		}
	}
}
