package settings

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
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

// ParseSchema reads a JSON Schema (draft 2020-12) whose top-level properties
// are the blocks and theirs the keys; each key needs a default that fits it.
func ParseSchema(text []byte) (*Schema, error) {
	var doc struct {
		Title      string `json:"title"`
		Properties map[string]struct {
			Properties map[string]struct {
				Type         jsontext.Value `json:"type"`
				Default      jsontext.Value `json:"default"`
				ErrorMessage string         `json:"errorMessage"`
			} `json:"properties"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	compiler.UseLoader(jsonschema.SchemeURLLoader{}) // no reference leaves the file
	const url = "mem:///settings.json"
	if err := compiler.AddResource(url, tree); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}

	s := &Schema{text: bytes.TrimSpace(text), title: doc.Title, fields: make(map[Key]field)}
	for block, b := range doc.Properties {
		for name, k := range b.Properties {
			key := Key{block, name}
			if err := checkKey(key); err != nil {
				return nil, err
			}
			check, err := compiler.Compile(url + "#/properties/" + pointer(block) + "/properties/" + pointer(name))
			if err != nil {
				return nil, fmt.Errorf("schema: %s: %w", key, err)
			}
			s.fields[key] = field{check: check, message: k.ErrorMessage, types: typeNames(k.Type), byDflt: string(k.Default)}
			if k.Default == nil || k.Default.Kind() == 'n' {
				return nil, fmt.Errorf("schema: %s needs a default", key)
			}
			if err := s.Check(key, string(k.Default)); err != nil {
				return nil, fmt.Errorf("schema: default of %w", err)
			}
			s.keys = append(s.keys, key)
		}
	}
	if len(s.keys) == 0 {
		return nil, errors.New("schema: no block has a key")
	}
	slices.SortFunc(s.keys, Key.Compare)
	return s, nil
}

// checkKey refuses names that would make "block.key" ambiguous or unprintable.
func checkKey(k Key) error {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
	for _, name := range [...]string{k.Block, k.Name} {
		if name == "" || len(name) > 64 || strings.Trim(name, letters) != "" {
			return fmt.Errorf("schema: %s: names are 1 to 64 letters, digits, _ or -", k)
		}
	}
	return nil
}

// pointer escapes one token of a JSON pointer (RFC 6901).
func pointer(token string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(token)
}

// typeNames reads the "type" keyword: a name or a list of names; nil is any type.
func typeNames(text jsontext.Value) []string {
	var one string
	if json.Unmarshal(text, &one) == nil {
		return []string{one}
	}
	var many []string
	if json.Unmarshal(text, &many) == nil {
		return many
	}
	return nil
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
		return errs.Field(k.String(), "%s", err)
	}
	if err := f.check.Validate(value); err != nil {
		return errs.Field(k.String(), "%s", f.explain(err))
	}
	return nil
}

// explain says in a person's words why a value does not fit.
func (f field) explain(err error) string {
	var invalid *jsonschema.ValidationError
	if f.message != "" || !errors.As(err, &invalid) {
		return f.message
	}
	for len(invalid.Causes) > 0 {
		invalid = invalid.Causes[0]
	}
	return "does not fit: " + invalid.ErrorKind.LocalizedString(message.NewPrinter(language.English))
}

// maxNumber bounds the text of a number.
const maxNumber = 64

// checkNumbers refuses numbers no program could hold: the validator computes
// exactly, and 1e999999999 would take all memory there is.
func checkNumbers(text string) error {
	dec := jsontext.NewDecoder(strings.NewReader(text))
	for {
		token, err := dec.ReadToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errors.New("is not JSON")
		}
		if token.Kind() != '0' {
			continue
		}
		number := token.String()
		_, exponent, _ := strings.Cut(strings.ToLower(number), "e")
		if len(number) > maxNumber || len(strings.TrimLeft(exponent, "+-0")) > 3 {
			return errors.New("holds a number that is too long")
		}
	}
}

// HasType reports whether a key exists and a value has one of its types. It is
// all that is asked of a preview, whose value may be half typed (SPEC L1).
func (s *Schema) HasType(k Key, text string) bool {
	f, ok := s.fields[k]
	if !ok || text == "" {
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
