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

// [SPEC P7] In a merge patch null for a block resets all its keys.
func TestParseSetWholeBlock(t *testing.T) {
	set, err := ParseSet([]byte(`{"billing":null}`), DemoSchema().BlockKeys)
	if err != nil || len(set) != 2 || set[0].Text != Null || set[1].Text != Null {
		t.Errorf("got %+v, %v", set, err)
	}
}

// [SPEC V4] What is no object of objects is refused, with the block named if it is just that.
func TestParseSetRefuses(t *testing.T) {
	tests := map[string]string{ // the field blamed; "" is accepted
		`{}`: "", `null`: "", ` {"a":{}} `: "", `{"a":{"b":{"c":[null]}}}`: "",
		``: "set", `[]`: "set", `1`: "set", `{"a":{}`: "set", `{"a":{}}{}`: "set", `{"a":{"b":}}`: "set",
		`{"a":{},"a":{}}`: "set", `{"a":{"b":1,"b":2}}`: "set", `{"a":{"b":{"c":1,"c":2}}}`: "set", "{\"a\":{\"\xff\":1}}": "set",
		`{"a":{"b":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}}`: "set",
		`{"a":1}`: "a", `{"a":null}`: "a", `{"a":[]}`: "a", `{"a":{"b":1},"c":true}`: "c", `{"c":true,"a":{"b":1,"b":2}}`: "set",
	}
	for text, field := range tests {
		_, err := ParseSet([]byte(text), nil)
		var refused *errs.Error
		if errors.As(err, &refused); (err != nil) != (field != "") || err != nil && (refused.Code != errs.Malformed || refused.Field != field) {
			t.Errorf("%s: %v, want field %q", text, err, field)
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
		"nothing set":                {"p", `{}`, errs.Invalid, "set"},
		"an empty block":             {"p", `{"billing":{}}`, errs.Invalid, "set"},
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

func TestSchemaRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"not JSON":              `{`,
		"no block":              `{"type":"object"}`,
		"no default":            `{"properties":{"a":{"properties":{"b":{"type":"integer"}}}}}`,
		"null default":          `{"properties":{"a":{"properties":{"b":{"default":null}}}}}`,
		"a default that is not": `{"properties":{"a":{"properties":{"b":{"type":"integer","default":"x"}}}}}`,
		"a dot in a name":       `{"properties":{"a.b":{"properties":{"b":{"default":1}}}}}`,
		"a bad keyword":         `{"properties":{"a":{"properties":{"b":{"type":"whole","default":1}}}}}`,
		"a reference outside":   `{"properties":{"a":{"properties":{"b":{"$ref":"file:///etc/x.json","default":1}}}}}`,
	} {
		if _, err := ParseSchema([]byte(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
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
