package settings

import (
	_ "embed"
	"errors"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"social-server/internal/errs"
)

//go:embed demo-schema.json
var demoSchema []byte

// Schema describes the settings: which blocks and keys there are, what values
// they take, and their defaults. It is read-only after ParseSchema.
type Schema struct {
	text   []byte
	title  string
	fields map[Key]field
	keys   []Key // ordered
}

type field struct {
	check   *jsonschema.Schema
	message string // what to say of a value that does not fit; "" is the validator's own words
	types   []string
	byDflt  string // the default's JSON text
}

// DemoSchema returns the built-in schema of the demo's two forms.
func DemoSchema() *Schema {
	s, err := ParseSchema(demoSchema)
	if err != nil {
		panic(err) // the file is part of the program, and a test reads it
	}
	return s
}

// Text returns the schema's own JSON, for GET /api/v1/schema.
func (s *Schema) Text() []byte { return s.text }

// Keys lists every key, ordered by block and name.
func (s *Schema) Keys() []Key { return s.keys }

// BlockKeys lists the keys of one block; none for an unknown block.
func (s *Schema) BlockKeys(block string) []Key {
	var keys []Key
	for _, k := range s.keys {
		if k.Block == block {
			keys = append(keys, k)
		}
	}
	return keys
}

// Has reports whether there is such a key.
func (s *Schema) Has(k Key) bool {
	_, ok := s.fields[k]
	return ok
}

// Title returns what the schema calls itself; "" if it does not say.
func (s *Schema) Title() string { return s.title }

// Default returns the JSON text a key has while nobody chose a value.
func (s *Schema) Default(k Key) string { return s.fields[k].byDflt }

// Check says whether a key may hold a value, naming the key in the error
// (SPEC V1). Null fits every known key: it resets it.
func (s *Schema) Check(k Key, text string) error {
	f, ok := s.fields[k]
	if !ok {
		return errs.Field(k.String(), "is not a setting of this server")
	}
	if text == Null {
		return nil
	}
	value, err := schemaValue(text)
	if err != nil {
		return errs.Field(k.String(), "%s", err.Error())
	}
	if err := f.check.Validate(value); err != nil {
		return &errs.Error{Code: errs.Invalid, Field: k.String(), Message: f.explain(err)}
	}
	return nil
}

// explain says in a person's words why a value does not fit.
func (f field) explain(err error) string {
	var invalid *jsonschema.ValidationError
	if f.message != "" || !errors.As(err, &invalid) {
		return f.message
	}
	return "does not fit: " + errs.Clip(deepest(invalid).ErrorKind.LocalizedString(message.NewPrinter(language.English)))
}

// HasType reports whether a key exists and a value that devices can read has one
// of its types. It is all that is asked of a preview, whose value may be half
// typed (SPEC L1).
func (s *Schema) HasType(k Key, text string) bool {
	f, ok := s.fields[k]
	if !ok || text == "" {
		return false
	}
	if checkValue(text) != nil {
		return false
	}
	if f.types == nil {
		return true
	}
	kind := map[jsontext.Kind]string{
		'"': "string", '0': "number", 't': "boolean", 'f': "boolean", '[': "array", '{': "object", 'n': "null",
	}[jsontext.Value(text).Kind()]
	return slices.Contains(f.types, kind) || kind == "number" && slices.Contains(f.types, "integer")
}
