package strictjson

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

type numbers struct {
	U uint64  `json:"u"`
	I int     `json:"i"`
	L int64   `json:"l"`
	P *uint64 `json:"p"`
}

// A whole number may be written with a fraction or an exponent (RFC 8259, 6).
func TestWholeNumbers(t *testing.T) {
	for text, want := range map[string]uint64{
		"0": 0, "-0": 0, "1": 1, "1.0": 1, "1e0": 1, "1E+0": 1, "0.1e1": 1, "12.50e1": 125, "-0.0": 0, "0e400": 0,
		"9007199254740991": 1<<53 - 1, "9007199254740991.0": 1<<53 - 1, "9.007199254740991e15": 1<<53 - 1,
		"18446744073709551615": 1<<64 - 1, // whoever reads it has a bound of its own
	} {
		var n numbers
		if err := Unmarshal([]byte(`{"u":`+text+`,"p":`+text+`}`), &n); err != nil || n.U != want || n.P == nil || *n.P != want {
			t.Errorf("%s is %+v, %v", text, n, err)
		}
	}
	for _, text := range []string{"1.5", "-1", "-1.0", "1e-1", "1e16", "9007199254740993.0", "1e400", "18446744073709551616", `"1"`, "true", "[1]"} {
		var n numbers
		var meaning *json.SemanticError
		if err := Unmarshal([]byte(`{"u":`+text+`}`), &n); !errors.As(err, &meaning) || meaning.JSONPointer != "/u" {
			t.Errorf("%s is %+v, %v", text, n, err)
		}
	}
	var n numbers
	if err := Unmarshal([]byte(`{"i":-2.0,"l":-3e0,"p":null,"u":null}`), &n); err != nil || n != (numbers{I: -2, L: -3}) {
		t.Errorf("got %+v, %v", n, err)
	}
}

// [SPEC V4] What is wrong with a text is said in a bounded line, with its place.
func TestSyntaxErrors(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	for text, want := range map[string]string{
		"":                                    "line 1, column 1: the text ends too early",
		"{\n\"u\":1":                          "line 2, column 6: the text ends too early",
		"{\r\n  \"ü\":1, }":                   "line 2, column 8: invalid character ','",
		`{"u":1}{}`:                           "line 1, column 8: ",
		`{"u":1,"u":2}`:                       `line 1, column 8: the name "u" comes twice`,
		`{"` + long + `":1,"` + long + `":2}`: "comes twice",
		"{\"u\":\"\xff\"}":                    "line 1, column 7: invalid UTF-8",
		strings.Repeat("[", 50):               "line 1, column 41: nests deeper than 40 levels",
	} {
		var syntax *SyntaxError
		var n any
		err := Unmarshal([]byte(text), &n)
		if !errors.As(err, &syntax) || !strings.Contains(err.Error(), want) || len(err.Error()) > 300 {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
}
