// Package strictjson reads JSON from outside the way SPEC V4 promises: valid
// UTF-8, no lone surrogates, no duplicate names, exact case of names, no
// unknown members, one value, bounded depth (RFC 7493, I-JSON). All but the
// depth is encoding/json/v2's own default or option. A whole number may be
// written with a fraction or an exponent, as in 1.0 and 1e0.
package strictjson

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"social-server/internal/errs"
)

// MaxDepth is how deep a text may nest: a value (SPEC V7), and what a frame or a
// document puts around it.
const MaxDepth = 40

// SyntaxError reports a text that violates SPEC V4. Its message names the problem
// and its place, for the sender.
type SyntaxError struct {
	Line, Column int              // from 1; columns are characters
	Pointer      jsontext.Pointer // of the value that is being read; "" is the whole text
	Problem      string
}

// Error returns the place and the problem.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Problem)
}

// strict is the library's option that is not its default. lenient adds whole
// numbers in their rare spellings, which costs allocations.
var (
	strict  = json.RejectUnknownMembers(true)
	lenient = json.JoinOptions(strict, json.WithUnmarshalers(wholeNumbers))
)

// Unmarshal reads one JSON value into into, refusing everything the package
// comment names. Members of type jsontext.Value keep their text byte for byte.
// The error is a *SyntaxError, or a *json.SemanticError for JSON of another shape.
func Unmarshal(text []byte, into any) error {
	if at := tooDeep(text); at >= 0 {
		return syntaxError(text, at, "", errs.Sprintf("nests deeper than %d levels", MaxDepth))
	}
	err := json.Unmarshal(text, into, strict)
	if err == nil {
		return nil
	}
	if errors.As(err, new(*json.SemanticError)) {
		err = json.Unmarshal(text, into, lenient)
	}
	return Explain(text, err)
}

// Explain returns the library's error about a text as a *SyntaxError, if it is
// about syntax.
func Explain(text []byte, err error) error {
	var syntax *jsontext.SyntacticError
	switch {
	case !errors.As(err, &syntax):
		return err
	case errors.Is(err, jsontext.ErrDuplicateName):
		return syntaxError(text, int(syntax.ByteOffset), syntax.JSONPointer, errs.Sprintf("the name %q comes twice", syntax.JSONPointer.LastToken()))
	case errors.Is(err, io.ErrUnexpectedEOF):
		return syntaxError(text, len(text), syntax.JSONPointer, "the text ends too early")
	}
	return syntaxError(text, int(syntax.ByteOffset), syntax.JSONPointer, errs.Clip(syntax.Err.Error()))
}

func syntaxError(text []byte, offset int, pointer jsontext.Pointer, problem string) error {
	before := string(text[:min(offset, len(text))])
	line := before[strings.LastIndexByte(before, '\n')+1:]
	return &SyntaxError{strings.Count(before, "\n") + 1, utf8.RuneCountInString(line) + 1, pointer, problem}
}

// tooDeep returns the offset of the bracket that nests too deep, or -1. It counts
// brackets outside strings: the library's own limit is fixed at 10,000. A
// malformed text is left for the library to refuse.
func tooDeep(text []byte) int {
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
				return i
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return -1
}
