package settings

import (
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// scalars are texts that are plain, and texts that look it.
var scalars = []string{
	``, `null`, `true`, `false`, `True`, `nul`, `0`, `-0`, `-`, `1`, `-12`, `01`, `-01`, `00`, `1.`, `.5`, `1.50`, `-0.0`, `1.2.3`, `+1`, `1e3`, `1E-2`, `0x1`,
	`9007199254740993`, strings.Repeat("9", 64), strings.Repeat("9", 65), `1e999999999`, `NaN`, `1 `, ` 1`, `1,2`,
	`"`, `""`, `"a"`, `"a`, `a"`, `"a"b"`, `"a\"b"`, `"\u00eb"`, `"ë"`, "\"\xff\"", "\"a\nb\"", "\"a\x7fb\"", "\"\x00\"", `"a" `, `"a""b"`, `"\ud800"`,
	`[1]`, `{"a":1}`, `{}`, `[`,
}

// bySlowWay is what the validator makes of a text itself.
func bySlowWay(text string) (any, error) {
	if err := checkValue(text); err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(strings.NewReader(text))
}

// checkScalar fails unless a plain text is what the validator would read.
func checkScalar(t *testing.T, text string) {
	t.Helper()
	value, ok := scalar(text)
	want, err := bySlowWay(text)
	if ok && (err != nil || !reflect.DeepEqual(value, want)) {
		t.Errorf("%q is %#v, want %#v (%v)", text, value, want, err)
	}
	got, failed := schemaValue(text)
	if (failed != nil) != (err != nil) || err == nil && !reflect.DeepEqual(got, want) {
		t.Errorf("%q is judged as %#v (%v), want %#v (%v)", text, got, failed, want, err)
	}
}

// What is plain is what the validator would read, and what it would refuse is not plain.
func TestScalarIsWhatTheValidatorReads(t *testing.T) {
	for _, text := range scalars {
		checkScalar(t, text)
	}
	for _, text := range []string{`3000`, `-1.5`, `"Zoë"`, `""`, `true`, `false`, `null`} { // the usual values
		if _, ok := scalar(text); !ok {
			t.Errorf("%s takes the slow way", text)
		}
	}
}

func FuzzScalar(f *testing.F) {
	for _, text := range scalars {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkScalar(t, text) })
}
