// Package errs holds the one error type that may be shown to the person who
// caused it. Its codes are the words of the wire (SPEC P3, E6): HTTP statuses
// and close codes both derive from them, in package api.
package errs

import (
	"errors"
	"time"
)

// Code is a failure's one word on the wire, the same over HTTP and WebSocket.
type Code string

// The codes of SPEC P3 and E6.
const (
	Invalid            Code = "invalid"             // a field's value is not acceptable
	Malformed          Code = "malformed"           // not the JSON, header or address that was asked for
	Unauthorized       Code = "unauthorized"        // no valid token or password
	Expired            Code = "expired"             // the token was valid once: refresh it
	Revoked            Code = "revoked"             // the device was locked out
	Forbidden          Code = "forbidden"           // known, but not allowed
	Misdirected        Code = "misdirected"         // asked for under a host name that is not the server's
	NotFound           Code = "not-found"           // missing, or not yours: the two look alike
	MethodNotAllowed   Code = "method-not-allowed"  // the path exists, the method does not
	Conflict           Code = "conflict"            // something changed or is taken
	IDReused           Code = "id-reused"           // a patch id came again with another body
	PreconditionFailed Code = "precondition-failed" // If-Match names another revision
	TooLarge           Code = "too-large"           // over a size limit
	Timeout            Code = "timeout"             // the request did not arrive in time
	Unsupported        Code = "unsupported"         // a media type we do not read
	QuotaExceeded      Code = "quota-exceeded"      // over a limit of the user or account
	NotReady           Code = "not-ready"           // a patch before the frame ready
	RateLimited        Code = "rate-limited"        // too often; RetryAfter says when
	StorageFull        Code = "storage-full"        // the disk is full; reads go on
	Unavailable        Code = "unavailable"         // a needed part does not answer just now
	Internal           Code = "internal"            // our fault; Cause is logged, never shown
)

// Error is a failure that may be shown to the person who caused it.
type Error struct {
	Code       Code
	Field      string // the offending field, if there is one
	Message    string
	Cause      error         // logged, never shown
	RetryAfter time.Duration // when trying again makes sense; 0 is "not said"
}

// Error returns the code, field and message, for logs and tests.
func (e *Error) Error() string {
	text := string(e.Code)
	if e.Field != "" {
		text += " " + e.Field
	}
	text += ": " + e.Message
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// New returns an error of a code. It returns error, not *Error, so that a nil
// result is a nil error.
func New(code Code, format string, args ...any) error {
	return &Error{Code: code, Message: Sprintf(format, args...)}
}

// Field returns an Invalid error about one field. Several of them may be
// combined with errors.Join: All finds each.
func Field(field, format string, args ...any) error {
	return About(Invalid, field, format, args...)
}

// About returns an error of a code about one field, whose name may be the
// caller's text.
func About(code Code, field, format string, args ...any) error {
	return &Error{Code: code, Field: Clip(field), Message: Sprintf(format, args...)}
}

// Wrap returns an Internal error with a cause that is logged, never shown.
// A cause that already is an *Error is returned as it is; nil stays nil.
func Wrap(cause error) error {
	if cause == nil {
		return nil
	}
	return From(cause)
}

// From returns the first *Error in err's tree, or an Internal one that hides err.
func From(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: Internal, Message: "Something broke on our side.", Cause: err}
}

// All returns every *Error joined in err, in order; one that hides err if there is none.
func All(err error) []*Error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []*Error{From(err)}
	}
	var all []*Error
	for _, one := range joined.Unwrap() {
		all = append(all, All(one)...)
	}
	return all
}

// Is reports whether err carries the code.
func Is(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}
