package settings

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// What a value may be (SPEC V7).
const (
	maxNumber = 64 // characters of one number
	maxDepth  = 32 // levels of arrays and objects
)

// errNumber refuses a number that every device would read as infinite (RFC 7493, 2.2).
var errNumber = errors.New("holds a number beyond what a double can hold")

// checkValue refuses a JSON text that devices cannot read, or would read as
// another value (SPEC V7). Its length is bounded elsewhere.
func checkValue(text string) error {
	dec := jsontext.NewDecoder(strings.NewReader(text))
	for {
		token, err := dec.ReadToken()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return errors.New("is not JSON")
		case dec.StackDepth() > maxDepth:
			return fmt.Errorf("nests deeper than %d levels", maxDepth)
		}
		switch token.Kind() {
		case '0':
			err = checkNumber(token.String())
		case '"':
			err = checkName(dec, token)
		}
		if err != nil {
			return err
		}
	}
}

// schemaValue returns a text as the validator takes it.
func schemaValue(text string) (any, error) {
	if err := checkValue(text); err != nil {
		return nil, err
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("is not JSON: %w", err)
	}
	return value, nil
}

// checkNumber refuses a number that is no finite double. Its length is bounded
// first: the validator computes exactly, and 1e999999999 would take all memory
// there is.
func checkNumber(number string) error {
	_, exponent, _ := strings.Cut(strings.ToLower(number), "e")
	if len(number) > maxNumber || len(strings.TrimLeft(exponent, "+-0")) > 3 {
		return errors.New("holds a number that is too long")
	}
	if _, err := strconv.ParseFloat(number, 64); err != nil {
		return errNumber
	}
	return nil
}

// checkName refuses a member that readers in JavaScript drop.
func checkName(dec *jsontext.Decoder, token jsontext.Token) error {
	kind, tokens := dec.StackIndex(dec.StackDepth())
	if isName := kind == '{' && tokens%2 == 1; isName && token.String() == "__proto__" {
		return errors.New("holds a member named __proto__, which browsers drop")
	}
	return nil
}

// Readable returns the text of a value as devices are sent it: Null if it holds
// a number that no device can read. No such value is stored any more, but one may
// have been before (SPEC V7).
func Readable(text string) string {
	if hasExponent(text) && errors.Is(checkValue(text), errNumber) {
		return Null
	}
	return text
}

// hasExponent reports whether a text may hold a number with an exponent: without
// one, a number of maxNumber characters is a finite double.
func hasExponent(text string) bool {
	for i := 1; i < len(text); i++ {
		if text[i]|' ' == 'e' && text[i-1] >= '0' && text[i-1] <= '9' {
			return true
		}
	}
	return false
}
