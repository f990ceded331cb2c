package api

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	"social-server/internal/errs"
)

// The bounds of what is repeated of a query.
const (
	longestName = 64 // bytes of a parameter's name
	mostNames   = 10
)

// onceEach refuses a query that cannot be read, or gives a parameter more than
// once (SPEC E7): a proxy may decide by one of the two, and a server by the other.
func onceEach(query string) error {
	if query == "" {
		return nil
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return errs.New(errs.Malformed, "The query of this address cannot be read.")
	}
	var repeated []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if len(values[name]) > 1 && len(repeated) < mostNames {
			name = strings.ToValidUTF8(name[:min(len(name), longestName)], "\ufffd")
			repeated = append(repeated, &errs.Error{Code: errs.Malformed, Field: name, Message: "is given more than once"})
		}
	}
	return errors.Join(repeated...)
}
