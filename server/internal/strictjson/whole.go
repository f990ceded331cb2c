package strictjson

import (
	"errors"
	"math"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// largestWhole is the largest whole number that every JSON reader holds exactly (RFC 7493).
const largestWhole = 1<<53 - 1

// wholeNumbers reads whole numbers however JSON may write them. The library
// takes digits only.
var wholeNumbers = json.JoinUnmarshalers(
	json.UnmarshalFromFunc(func(dec *jsontext.Decoder, n *uint64) error { return readWhole(dec, n, 0) }),
	json.UnmarshalFromFunc(func(dec *jsontext.Decoder, n *int64) error { return readWhole(dec, n, -largestWhole) }),
	json.UnmarshalFromFunc(func(dec *jsontext.Decoder, n *int) error { return readWhole(dec, n, -largestWhole) }),
)

// readWhole leaves plain digits, and what is no number, to the library.
func readWhole[T int | int64 | uint64](dec *jsontext.Decoder, n *T, least float64) error {
	if dec.PeekKind() != '0' {
		return errors.ErrUnsupported
	}
	text, err := dec.ReadValue()
	if err != nil {
		return err
	}
	if json.Unmarshal(text, n) == nil {
		return nil
	}
	number, err := strconv.ParseFloat(string(text), 64)
	if err != nil || number != math.Trunc(number) || number < least || number > largestWhole {
		return errors.New("is not a whole number in range")
	}
	*n = T(number)
	return nil
}
