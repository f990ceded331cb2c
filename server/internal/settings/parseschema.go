package settings

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"social-server/internal/errs"
	"social-server/internal/strictjson"
)

// SchemaError is a part of a schema that the server cannot obey.
type SchemaError struct {
	Pointer string // JSON pointer of the part (RFC 6901); "" is the whole file
	Problem string
}

// Error returns the place and the problem, in one line.
func (e *SchemaError) Error() string {
	if e.Pointer == "" {
		return "schema: " + e.Problem
	}
	return "schema: at " + errs.Clip(e.Pointer) + ": " + e.Problem
}

func unfit(pointer jsontext.Pointer, format string, args ...any) error {
	return &SchemaError{string(pointer), errs.Sprintf(format, args...)}
}

// schemaURL names the schema to the validator. Nothing is fetched.
const schemaURL = "mem:///settings.json"

// members are those of one JSON object.
type members = map[string]jsontext.Value

// ParseSchema reads a JSON Schema (draft 2020-12) whose top-level properties
// are the blocks and theirs the keys; each key needs a default that fits it. A
// keyword above the keys that would have no effect is an error: what the server
// checks is the keys. A byte order mark is passed over.
func ParseSchema(text []byte) (*Schema, error) {
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff")))
	if err := checkSchemaText(text); err != nil {
		return nil, err
	}
	root, err := schemaObject("", text)
	if err != nil {
		return nil, err
	}
	compiler, err := newCompiler(text)
	if err != nil {
		return nil, err
	}
	s := &Schema{text: text, fields: make(map[Key]field)}
	if title := root["title"]; title != nil && json.Unmarshal(title, &s.title) != nil {
		return nil, unfit("/title", "must be text")
	}
	err = eachProperty("", root, rootKeywords, func(at jsontext.Pointer, block string, text jsontext.Value) error {
		keys, err := schemaObject(at, text)
		if err != nil {
			return err
		}
		return eachProperty(at, keys, nil, func(at jsontext.Pointer, name string, text jsontext.Value) error {
			return s.addKey(compiler, at, Key{block, name}, text)
		})
	})
	return s, err
}

// checkSchemaText refuses a text that is not strict JSON, or holds a number that
// no double can hold: neither clients nor the validator could use it.
func checkSchemaText(text []byte) error {
	dec := jsontext.NewDecoder(bytes.NewReader(text))
	for {
		token, err := dec.ReadToken()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return unfit("", "%v", strictjson.Explain(text, err))
		case token.Kind() != '0':
			continue
		}
		if err := checkNumber(token.String()); err != nil {
			return unfit(dec.StackPointer(), "%s", err.Error())
		}
	}
}

func newCompiler(text []byte) (*jsonschema.Compiler, error) {
	tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, unfit("", "%s", err.Error())
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	compiler.UseLoader(jsonschema.SchemeURLLoader{}) // no reference leaves the file
	return compiler, compiler.AddResource(schemaURL, tree)
}

// schemaObject reads the members of a part that must be an object.
func schemaObject(at jsontext.Pointer, text jsontext.Value) (members, error) {
	var object members
	if err := json.Unmarshal(text, &object); err != nil || object == nil {
		return nil, unfit(at, "must be an object")
	}
	return object, nil
}

// eachProperty calls add with each property of the whole schema or of a block,
// ordered by name, after a check of the other keywords. There must be one.
func eachProperty(at jsontext.Pointer, object members, allowed []string, add func(jsontext.Pointer, string, jsontext.Value) error) error {
	for _, keyword := range slices.Sorted(maps.Keys(object)) {
		if err := checkKeyword(keyword, object[keyword], allowed); err != nil {
			return unfit(at.AppendToken(keyword), "%s", err.Error())
		}
	}
	if object["properties"] == nil {
		return unfit(at, "must have properties")
	}
	at = at.AppendToken("properties")
	properties, err := schemaObject(at, object["properties"])
	if err != nil {
		return err
	}
	if len(properties) == 0 {
		return unfit(at, "must not be empty")
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if err := checkSchemaName(name); err != nil {
			return unfit(at.AppendToken(name), "%s", err.Error())
		}
		if err := add(at.AppendToken(name), name, properties[name]); err != nil {
			return err
		}
	}
	return nil
}

// rootKeywords have an effect in the whole schema, and none in a block.
var rootKeywords = []string{"$schema", "$id"}

// idleKeywords are the keywords of JSON Schema, and the server's own, that have
// an effect in a key and would have none above.
var idleKeywords = []string{
	"$schema", "$id", "$ref", "$dynamicRef", "$recursiveRef", "$vocabulary",
	"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependentRequired", "dependencies",
	"patternProperties", "propertyNames", "unevaluatedProperties", "unevaluatedItems",
	"items", "prefixItems", "additionalItems", "contains", "minContains", "maxContains", "minItems", "maxItems", "uniqueItems",
	"enum", "const", "required", "minProperties", "maxProperties", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum",
	"minLength", "maxLength", "pattern", "format", "contentEncoding", "contentMediaType", "contentSchema",
	"default", "readOnly", "writeOnly", "errorMessage",
}

// checkKeyword refuses a keyword above the keys that the server does not obey.
// Annotations are free: every name that is no keyword of JSON Schema is one.
func checkKeyword(keyword string, value jsontext.Value, allowed []string) error {
	switch {
	case keyword == "type" && string(value) != `"object"`:
		return errors.New(`must be "object"`)
	case keyword == "additionalProperties" && string(value) != "false":
		return errors.New("must be false: blocks and keys are those that are listed")
	case slices.Contains(idleKeywords, keyword) && !slices.Contains(allowed, keyword):
		return errors.New("has no effect here: only keys are checked, each by itself")
	}
	return nil
}

// checkSchemaName refuses names that would make "block.key" ambiguous or
// unprintable, and one that JavaScript does not let be a member like others.
func checkSchemaName(name string) error {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
	if name == "" || len(name) > 64 || strings.Trim(name, letters) != "" || name == "__proto__" {
		return errors.New("names are 1 to 64 letters, digits, _ or -, and not __proto__")
	}
	return nil
}

// addKey reads the part of one key.
func (s *Schema) addKey(compiler *jsonschema.Compiler, at jsontext.Pointer, key Key, text jsontext.Value) error {
	object, err := schemaObject(at, text)
	if err != nil {
		return err
	}
	f := field{types: typeNames(object["type"]), byDflt: string(object["default"])}
	if words := object["errorMessage"]; words != nil && json.Unmarshal(words, &f.message) != nil {
		return unfit(at.AppendToken("errorMessage"), "must be text")
	}
	if f.check, err = compiler.Compile(schemaURL + "#" + string(at)); err != nil {
		return notASchema(at, err)
	}
	if f.byDflt == "" || f.byDflt == Null {
		return unfit(at, "needs a default")
	}
	s.fields[key] = f
	s.keys = append(s.keys, key)
	slices.SortFunc(s.keys, Key.Compare)
	if err := s.Check(key, f.byDflt); err != nil {
		return unfit(at.AppendToken("default"), "%s", errs.From(err).Message)
	}
	return nil
}

// notASchema says in one line why a part is no schema.
func notASchema(at jsontext.Pointer, err error) error {
	var invalid *jsonschema.SchemaValidationError
	var first *jsonschema.ValidationError
	if !errors.As(err, &invalid) || !errors.As(invalid.Err, &first) {
		return unfit(at, "%s", strings.Join(strings.Fields(err.Error()), " "))
	}
	first, at = deepest(first), "" // its place is in the whole file
	for _, token := range first.InstanceLocation {
		at = at.AppendToken(token)
	}
	return unfit(at, "%s", first.ErrorKind.LocalizedString(message.NewPrinter(language.English)))
}

// deepest returns the first cause of a failure that has no cause itself.
func deepest(invalid *jsonschema.ValidationError) *jsonschema.ValidationError {
	for len(invalid.Causes) > 0 {
		invalid = invalid.Causes[0]
	}
	return invalid
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
