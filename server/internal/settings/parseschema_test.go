package settings

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"social-server/internal/errs"
)

// inKey returns a schema of one key, a.b.
func inKey(key string) string { return `{"properties":{"a":{"properties":{"b":` + key + `}}}}` }

// inBlock returns a schema whose block a has another keyword beside its key.
func inBlock(keyword string) string {
	return `{"properties":{"a":{"properties":{"b":{"default":1}},` + keyword + `}}}`
}

// inRoot returns a schema with another keyword at its top.
func inRoot(keyword string) string {
	return `{"properties":{"a":{"properties":{"b":{"default":1}}}},` + keyword + `}`
}

// Fault D6: a part of a schema that the server does not obey. The start is
// refused with the reason and the place.
func TestParseSchemaRefuses(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	for name, tt := range map[string]struct{ text, place, reason string }{
		"not JSON":                     {"{\n\"properties\": {,}}", "", "line 2, column 16"},
		"a list":                       {`[]`, "", "must be an object"},
		"null":                         {`null`, "", "must be an object"},
		"nothing":                      {``, "", "must be an object"},
		"a block twice":                {`{"properties":{"a":{"properties":{"b":{"default":1}}},"a":{}}}`, "", `"a" comes twice`},
		"a key twice":                  {`{"properties":{"a":{"properties":{"b":{"default":1},"b":{"default":2}}}}}`, "", `"b" comes twice`},
		"no blocks":                    {`{"type":"object"}`, "", "must have properties"},
		"blocks misspelt":              {`{"propertees":{}}`, "", "must have properties"},
		"no block":                     {`{"properties":{}}`, "/properties", "must not be empty"},
		"blocks in a list":             {`{"properties":[]}`, "/properties", "must be an object"},
		"a block of any kind":          {`{"properties":{"a":true}}`, "/properties/a", "must be an object"},
		"a block that is a key":        {`{"properties":{"a":{"type":"integer","default":1}}}`, "/properties/a/default", "no effect"},
		"a block of a number":          {`{"properties":{"a":{"type":"integer"}}}`, "/properties/a/type", `must be "object"`},
		"a block without a key":        {`{"properties":{"a":{"properties":{}}}}`, "/properties/a/properties", "must not be empty"},
		"a block that is a reference":  {`{"$defs":{"x":{}},"properties":{"a":{"$ref":"#/$defs/x"}}}`, "/properties/a/$ref", "no effect"},
		"blocks of other names":        {inRoot(`"additionalProperties":{"properties":{"b":{"default":1}}}`), "/additionalProperties", "must be false"},
		"other blocks welcome":         {inRoot(`"additionalProperties":true`), "/additionalProperties", "must be false"},
		"blocks by pattern":            {inRoot(`"patternProperties":{"^x":{}}`), "/patternProperties", "no effect"},
		"a block that is needed":       {inRoot(`"required":["a"]`), "/required", "no effect"},
		"blocks put together":          {inRoot(`"allOf":[{}]`), "/allOf", "no effect"},
		"a default of all":             {inRoot(`"default":{"a":{"b":2}}`), "/default", "no effect"},
		"a title that is no text":      {inRoot(`"title":1`), "/title", "must be text"},
		"keys of other names":          {inBlock(`"additionalProperties":{"type":"integer"}`), "/properties/a/additionalProperties", "must be false"},
		"a key that is needed":         {inBlock(`"required":["b"]`), "/properties/a/required", "no effect"},
		"a key that depends":           {inBlock(`"if":{},"then":{}`), "/properties/a/if", "no effect"},
		"a bound on keys":              {inBlock(`"maxProperties":1`), "/properties/a/maxProperties", "no effect"},
		"a block to be read only":      {inBlock(`"readOnly":true`), "/properties/a/readOnly", "no effect"},
		"a base within":                {inBlock(`"$id":"https://example.org/a"`), "/properties/a/$id", "no effect"},
		"a key of any kind":            {inKey(`true`), "/properties/a/properties/b", "must be an object"},
		"no default":                   {inKey(`{"type":"integer"}`), "/properties/a/properties/b", "needs a default"},
		"null as the default":          {inKey(`{"default":null}`), "/properties/a/properties/b", "needs a default"},
		"a default that does not fit":  {inKey(`{"type":"integer","default":"x"}`), "/properties/a/properties/b/default", "got string, want integer"},
		"a dot in a block":             {`{"properties":{"a.b":{"properties":{"b":{"default":1}}}}}`, "/properties/a.b", "names are"},
		"a dot in a key":               {`{"properties":{"a":{"properties":{"b.c":{"default":1}}}}}`, "/properties/a/properties/b.c", "names are"},
		"a slash in a key":             {`{"properties":{"a":{"properties":{"b/c":{"default":1}}}}}`, "/properties/a/properties/b~1c", "names are"},
		"the name no object can have":  {`{"properties":{"__proto__":{"properties":{"b":{"default":1}}}}}`, "/properties/__proto__", "not __proto__"},
		"a long name":                  {`{"properties":{"` + long + `":{"properties":{"b":{"default":1}}}}}`, "/properties/" + long[:errs.Longest-12] + "…", "names are"},
		"a type there is not":          {inKey(`{"type":"whole","default":1}`), "/properties/a/properties/b/type", "must be one of"},
		"words that are no text":       {inKey(`{"errorMessage":1,"default":1}`), "/properties/a/properties/b/errorMessage", "must be text"},
		"a reference to another file":  {inKey(`{"$ref":"file:///etc/x.json","default":1}`), "/properties/a/properties/b", "file:///etc/x.json"},
		"a reference to nothing":       {inKey(`{"$ref":"#/$defs/x","default":1}`), "/properties/a/properties/b", "not found"},
		"a default no double can hold": {inKey(`{"default":[1,{"x":-1e400}]}`), "/properties/a/properties/b/default/1/x", "double"},
		"a bound no double can hold":   {inKey(`{"maximum":1e400,"default":1}`), "/properties/a/properties/b/maximum", "double"},
		"a choice no double can hold":  {inKey(`{"enum":[1,1e999],"default":1}`), "/properties/a/properties/b/enum/1", "double"},
		"a constant beyond memory":     {inKey(`{"const":1e999999999,"default":1}`), "/properties/a/properties/b/const", "too long"},
		"a default that nests deep":    {inKey(`{"default":` + strings.Repeat("[", 33) + strings.Repeat("]", 33) + `}`), "/properties/a/properties/b/default", "deeper than 32"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseSchema([]byte(tt.text))
			var refused *SchemaError
			if !errors.As(err, &refused) {
				t.Fatalf("got %v", err)
			}
			if errs.Clip(refused.Pointer) != tt.place || !strings.Contains(refused.Problem, tt.reason) {
				t.Errorf("got %v; want it at %q, because of %q", err, tt.place, tt.reason)
			}
			if text := err.Error(); strings.ContainsAny(text, "\r\n") || utf8.RuneCountInString(text) > 600 {
				t.Errorf("not one short line: %q", text)
			}
		})
	}
}

// What has an effect, and what is there for people, is taken.
func TestParseSchemaTakes(t *testing.T) {
	for name, text := range map[string]string{
		"a byte order mark":         "\ufeff" + inKey(`{"default":1}`),
		"annotations":               inRoot(`"$schema":"https://json-schema.org/draft/2020-12/schema","$comment":"","description":"","x-order":["a"],"examples":[]`),
		"annotations of a block":    inBlock(`"title":"A","description":"","$comment":"","x-icon":"star","ui:order":["b"],"deprecated":true`),
		"what holds anyway":         inRoot(`"type":"object","additionalProperties":false`),
		"references within":         `{"$id":"https://example.org/s.json","$defs":{"x":{"type":"integer"}},"properties":{"a":{"properties":{"b":{"$ref":"#/$defs/x","default":1}}}}}`,
		"objects of any shape":      inKey(`{"type":"object","required":["x"],"properties":{"x":{"type":"integer"}},"additionalProperties":true,"default":{"x":1}}`),
		"the largest double":        inKey(`{"type":"number","maximum":1.7976931348623157e308,"default":0}`),
		"a default of 32 levels":    inKey(`{"default":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`),
		"names of JavaScript's own": `{"properties":{"constructor":{"properties":{"toString":{"default":1}}}}}`,
	} {
		if _, err := ParseSchema([]byte(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s := DemoSchema(); s.Title() != "Settings of the demo" || len(s.Keys()) != 5 {
		t.Errorf("the demo's: %q %v", s.Title(), s.Keys())
	}
}
