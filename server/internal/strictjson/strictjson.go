// Package strictjson reads JSON from outside the way SPEC V4 promises: valid
// UTF-8, no lone surrogates, no duplicate names, exact case of names, no
// unknown members, one value, bounded depth (RFC 7493, I-JSON). All but the
// depth is encoding/json/v2's own default or option.
package strictjson

import (
	"errors"

	"github.com/go-json-experiment/json"
)

// MaxDepth is how deep a text may nest.
const MaxDepth = 32

// ErrDepth is the failure of a text that nests deeper than MaxDepth.
var ErrDepth = errors.New("nests deeper than 32 levels")

// Unmarshal reads one JSON value into into, refusing everything the package
// comment names. Members of type jsontext.Value keep their text byte for byte.
func Unmarshal(text []byte, into any) error {
	if tooDeep(text) {
		return ErrDepth
	}
	return json.Unmarshal(text, into, json.RejectUnknownMembers(true))
}

// tooDeep counts brackets outside strings. The library's own limit is fixed at
// 10,000; a malformed text is left for it to refuse.
func tooDeep(text []byte) bool {
	depth, inString := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
