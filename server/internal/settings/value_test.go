package settings

import (
	stdjson "encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"social-server/internal/errs"
)

// valueText is an entry of protocol's testdata/values.json, which TypeScript reads too.
type valueText struct {
	Name    string `json:"name"`
	Text    string `json:"text"`
	Refused string `json:"refused"`
}

func valueTexts(t testing.TB) []valueText {
	t.Helper()
	text, err := os.ReadFile("../protocol/testdata/values.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []valueText
	if err := json.Unmarshal(text, &list); err != nil || len(list) < 30 {
		t.Fatalf("%d values, %v", len(list), err)
	}
	return list
}

// anyValue is a schema of one key, a.b, that takes every value.
func anyValue(t testing.TB) *Schema {
	t.Helper()
	schema, err := ParseSchema([]byte(`{"properties":{"a":{"properties":{"b":{"default":0}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// [SPEC V7] Fault A3: a value that no client can read, or reads as another one.
// It is refused by its key, as a patch and as a preview; others are taken.
func TestValuesThatDevicesRead(t *testing.T) {
	schema, key := anyValue(t), Key{"a", "b"}
	for _, v := range valueTexts(t) {
		set, err := ParseSet([]byte(`{"a":{"b":`+v.Text+`}}`), nil)
		if err != nil || len(set) != 1 || set[0].Text != v.Text {
			t.Errorf("%s: read as %+v, %v", v.Name, set, err)
			continue
		}
		err = schema.Check(key, v.Text)
		if taken := v.Refused == ""; taken != (err == nil) || taken != schema.HasType(key, v.Text) {
			t.Errorf("%s: %v; as a preview %v", v.Name, err, schema.HasType(key, v.Text))
		}
		if e := errs.From(err); err != nil && (e.Code != errs.Invalid || e.Field != "a.b" || !strings.Contains(e.Message, v.Refused)) {
			t.Errorf("%s: %v, want the word %q", v.Name, err, v.Refused)
		}
	}
}

// [SPEC V7] Of a value stored before, with a number beyond every double, readers are
// sent null; every other value is what it was, byte for byte (SPEC V2).
func TestReadable(t *testing.T) {
	for _, v := range valueTexts(t) {
		want := v.Text
		if v.Refused == "double" {
			want = Null
		}
		if got := Readable(v.Text); got != want {
			t.Errorf("%s: %.40s, want %.40s", v.Name, got, want)
		}
	}
}

// scalars are values without members, and texts that look like them.
var scalars = []string{
	``, `null`, `true`, `false`, `True`, `nul`, `0`, `-0`, `-`, `1`, `-12`, `01`, `-01`, `00`, `1.`, `.5`, `1.50`, `-0.0`, `1.2.3`, `+1`, `1e3`, `1E-2`, `0x1`,
	`9007199254740993`, strings.Repeat("9", 64), strings.Repeat("9", 65), `1e999999999`, `NaN`, `1 `, ` 1`, `1,2`,
	`"`, `""`, `"a"`, `"a`, `a"`, `"a"b"`, `"a\"b"`, `"\u00eb"`, `"ë"`, "\"\xff\"", "\"a\nb\"", "\"a\x7fb\"", "\"\x00\"", `"a" `, `"a""b"`, `"\ud800"`,
	`[1]`, `{"a":1}`, `{}`, `[`,
}

// FuzzValue compares what is taken with what a reader of doubles makes of it: it
// can read all of it, and what it writes again is the same value.
func FuzzValue(f *testing.F) {
	for _, v := range valueTexts(f) {
		f.Add(v.Text)
	}
	for _, text := range scalars {
		f.Add(text)
	}
	schema, key := anyValue(f), Key{"a", "b"}
	f.Fuzz(func(t *testing.T, text string) {
		set, err := ParseSet([]byte(`{"a":{"b":`+text+`}}`), nil)
		if err != nil || len(set) != 1 || schema.Check(key, set[0].Text) != nil {
			return
		}
		var first, second any
		if err := stdjson.Unmarshal([]byte(set[0].Text), &first); err != nil {
			t.Fatalf("%q is taken, and cannot be read: %v", text, err)
		}
		again, err := stdjson.Marshal(first)
		if err != nil {
			t.Fatalf("%q is taken, and cannot be written: %v", text, err)
		}
		if err := stdjson.Unmarshal(again, &second); err != nil || !reflect.DeepEqual(first, second) {
			t.Fatalf("%q is taken, and is %s when written again (%v)", text, again, err)
		}
		if Readable(set[0].Text) != set[0].Text {
			t.Fatalf("%q is taken, and not sent", text)
		}
	})
}
