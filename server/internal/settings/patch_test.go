package settings

import (
	"errors"
	"strings"
	"testing"

	"social-server/internal/errs"
)

func mustSet(t *testing.T, text string) []Assignment {
	t.Helper()
	set, err := ParseSet([]byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// [SPEC V2] A value keeps its text, whatever JSON would make of it.
func TestParseSetKeepsTexts(t *testing.T) {
	set := mustSet(t, `{ "user" : { "username" : "Zo\u00eb" } , "billing" : {"salary": 1.0e3 ,"period":  [1,  2] } }`)
	want := []Assignment{
		{Key{"billing", "period"}, "[1,  2]"}, {Key{"billing", "salary"}, "1.0e3"}, {Key{"user", "username"}, `"Zo\u00eb"`},
	}
	if len(set) != len(want) {
		t.Fatalf("got %+v", set)
	}
	for i := range want {
		if set[i] != want[i] {
			t.Errorf("got %+v, want %+v", set[i], want[i])
		}
	}
}

// [SPEC P7] In a merge patch null for a block resets all its keys, and a block that is not there is refused, if it has keys or not.
func TestParseSetWholeBlock(t *testing.T) {
	keys := DemoSchema().BlockKeys
	set, err := ParseSet([]byte(`{"billing":null,"user":{}}`), keys)
	if err != nil || len(set) != 2 || set[0].Text != Null || set[1].Text != Null {
		t.Errorf("got %+v, %v", set, err)
	}
	for text, field := range map[string]string{`{"shop":null}`: "shop", `{"billing":null,"shop":{}}`: "shop"} {
		if _, err := ParseSet([]byte(text), keys); !errs.Is(err, errs.Invalid) || errs.From(err).Field != field {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := ParseSet([]byte(`null`), keys); !errs.Is(err, errs.Malformed) {
		t.Errorf("a patch of null, which would remove everything: %v", err)
	}
}

// [SPEC V4] What is no object of objects is refused, with the block named if it is just that.
func TestParseSetRefuses(t *testing.T) {
	tests := map[string]string{ // the field blamed; "-" is accepted
		`{}`: "-", ` {"a":{}} `: "-", `{"a":{"b":{"c":[null]}}}`: "-", `{"a":{"b":` + strings.Repeat("[", 38) + strings.Repeat("]", 38) + `}}`: "-",
		`[]`: "set", `1`: "set", `null`: "set",
		``: "", `{"a":{}`: "", `{"a":{}}{}`: "", `{"a":{"b":}}`: "b", "{\"a\":{\"\xff\":1}}": "a",
		`{"a":{},"a":{}}`: "a", `{"a":{"b":1,"b":2}}`: "b", `{"a":{"b":{"c":1,"c":2}}}`: "c", `{"c":true,"a":{"b":1,"b":2}}`: "b",
		`{"a":{"b":` + strings.Repeat("[", 39) + strings.Repeat("]", 39) + `}}`: "",
		`{"a":1}`: "a", `{"a":null}`: "a", `{"a":[]}`: "a", `{"a":{"b":1},"c":true}`: "c",
	}
	for text, field := range tests {
		_, err := ParseSet([]byte(text), nil)
		var refused *errs.Error
		if errors.As(err, &refused); (err != nil) != (field != "-") || err != nil && (refused.Code != errs.Malformed || refused.Field != field) {
			t.Errorf("%s: %v, want field %q", text, err, field)
		}
	}
}

// [SPEC V4] Of a text that is not JSON it is said what is wrong, and where.
func TestParseSetSaysWhere(t *testing.T) {
	for text, want := range map[string]string{
		"{\n  \"billing\": {\n    \"é\": 1,,\n  }\n}":        `line 3, column 12: invalid character ','`,
		`{"billing":{"salary":1}`:                            "line 1, column 24: the text ends too early",
		`{"billing":{"salary":1,"salary":2}}`:                `line 1, column 24: the name "salary" comes twice`,
		`{"billing":{"salary":` + strings.Repeat("[", 41):    "line 1, column 60: nests deeper than 40 levels",
		`{"` + strings.Repeat("x", 9999) + `":{"b":"\u00"}}`: "column 10010: invalid escape sequence",
		``: "line 1, column 1: the text ends too early",
	} {
		_, err := ParseSet([]byte(text), nil)
		if message := errs.From(err).Message; !strings.Contains(message, want) || len(message) > 300 {
			t.Errorf("%.60q: %s; want %s", text, message, want)
		}
	}
}

// [SPEC V1] [SPEC V5] What does not fit is refused with the field named.
func TestPatchCheck(t *testing.T) {
	long := `"` + strings.Repeat("x", 9<<10) + `"`
	tests := map[string]struct {
		id, set string
		code    errs.Code // "" is accepted
		field   string
	}{
		"longest period":             {"p", `{"billing":{"period":12}}`, "", ""},
		"period past the last":       {"p", `{"billing":{"period":13}}`, errs.Invalid, "billing.period"},
		"zero is not a period":       {"p", `{"billing":{"period":0}}`, errs.Invalid, "billing.period"},
		"half a period":              {"p", `{"billing":{"period":1.5}}`, errs.Invalid, "billing.period"},
		"an integer written longer":  {"p", `{"billing":{"period":1.0}}`, "", ""},
		"nothing to pay":             {"p", `{"billing":{"salary":0}}`, "", ""},
		"a text salary":              {"p", `{"billing":{"salary":"3000"}}`, errs.Invalid, "billing.salary"},
		"terms not accepted":         {"p", `{"user":{"acceptedTerms":false}}`, "", ""},
		"empty e-mail":               {"p", `{"user":{"email":""}}`, "", ""},
		"an e-mail":                  {"p", `{"user":{"email":"anna@example.org"}}`, "", ""},
		"half an e-mail":             {"p", `{"user":{"email":"anna@"}}`, errs.Invalid, "user.email"},
		"name of 64":                 {"p", `{"user":{"username":"` + strings.Repeat("é", 64) + `"}}`, "", ""},
		"name of 65":                 {"p", `{"user":{"username":"` + strings.Repeat("é", 65) + `"}}`, errs.Invalid, "user.username"},
		"reset":                      {"p", `{"user":{"email":null}}`, "", ""},
		"unknown key":                {"p", `{"user":{"shoe":1}}`, errs.Invalid, "user.shoe"},
		"unknown block":              {"p", `{"shop":{"email":""}}`, errs.Invalid, "shop.email"},
		"reset of an unknown key":    {"p", `{"user":{"shoe":null}}`, errs.Invalid, "user.shoe"},
		"one bad among good":         {"p", `{"billing":{"period":3,"salary":-1}}`, errs.Invalid, "billing.salary"},
		"too long":                   {"p", `{"user":{"username":` + long + `}}`, errs.TooLarge, "user.username"},
		"a number to exhaust memory": {"p", `{"billing":{"salary":1e999999999}}`, errs.Invalid, "billing.salary"},
		"a number of 100 digits":     {"p", `{"billing":{"salary":` + strings.Repeat("9", 100) + `}}`, errs.Invalid, "billing.salary"},
		"nothing set":                {"p", `{}`, "", ""},
		"no id":                      {"", `{"billing":{"period":3}}`, errs.Invalid, "id"},
		"an id of 65":                {strings.Repeat("a", 65), `{"billing":{"period":3}}`, errs.Invalid, "id"},
		"an id with a space":         {"a b", `{"billing":{"period":3}}`, errs.Invalid, "id"},
	}
	schema := DemoSchema()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			patch := Patch{ID: tt.id, Set: mustSet(t, tt.set)}
			err := patch.Check(schema, DefaultLimits)
			if tt.code == "" {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			if e := errs.From(err); e.Code != tt.code || e.Field != tt.field {
				t.Errorf("got %v, want %s about %q", err, tt.code, tt.field)
			}
		})
	}
}

// [SPEC I3] Two patches have the same hash only if they ask for the same.
func TestPatchHash(t *testing.T) {
	base := func(revision uint64) map[Key]uint64 { return map[Key]uint64{{"billing", "salary"}: revision} }
	set := mustSet(t, `{"billing":{"salary":1}}`)
	seen := map[[32]byte]string{}
	for name, p := range map[string]Patch{
		"plain":            {Set: set},
		"other value":      {Set: mustSet(t, `{"billing":{"salary":2}}`)},
		"other text":       {Set: mustSet(t, `{"billing":{"salary":1.0}}`)},
		"other key":        {Set: mustSet(t, `{"billing":{"period":1}}`)},
		"with base":        {Set: set, Base: base(0)},
		"with other base":  {Set: set, Base: base(1)},
		"at a version":     {Set: set, If: []Version{{"k3f9", 1}}},
		"at another epoch": {Set: set, If: []Version{{"k3f8", 1}}},
		"at one of two":    {Set: set, If: []Version{{"k3f9", 1}, {"k3f8", 1}}},
		"text moved":       {Set: []Assignment{{Key{"bill", "ingsalary"}, "1"}}},
	} {
		if other, ok := seen[p.Hash()]; ok {
			t.Errorf("%q has the hash of %q", name, other)
		}
		seen[p.Hash()] = name
	}
	again := Patch{ID: "another", Set: mustSet(t, ` {"billing" : {"salary":1}} `)}
	if seen[again.Hash()] != "plain" {
		t.Error("the id or white space between members changed the hash")
	}
}

// [SPEC L1] A preview needs the type only: its value may be half typed.
func TestSchemaHasType(t *testing.T) {
	s := DemoSchema()
	for text, want := range map[string]bool{`"anna@"`: true, `1`: false, `null`: false, `true`: false, ``: false, `[]`: false} {
		if got := s.HasType(Key{"user", "email"}, text); got != want {
			t.Errorf("HasType(%q) = %v", text, got)
		}
	}
	if !s.HasType(Key{"billing", "salary"}, "99999") || s.HasType(Key{"billing", "shoe"}, "1") {
		t.Error("a number out of range is a number; an unknown key has no type")
	}
}
