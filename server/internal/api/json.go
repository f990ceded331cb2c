package api

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"social-server/internal/errs"
	"social-server/internal/protocol"
	"social-server/internal/strictjson"
)

// maxBody bounds a JSON body.
const maxBody = 64 << 10

// readJSON reads the body into v, a pointer to a struct, strictly (SPEC V4).
func readJSON(w http.ResponseWriter, r *http.Request, v any) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return errs.New(errs.Unsupported, "Send application/json.")
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return bodyError(err)
	}
	return bodyError(strictjson.Unmarshal(text, v))
}

// readOptionalJSON is readJSON for a request that may have no body.
func readOptionalJSON(w http.ResponseWriter, r *http.Request, v any) error {
	if r.ContentLength == 0 {
		return nil
	}
	return readJSON(w, r, v)
}

// bodyError turns a failure to read a body into words for a person. It says what
// and where, and nothing about our types.
func bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	var syntax *strictjson.SyntaxError
	var meaning *json.SemanticError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &tooLarge):
		return errs.New(errs.TooLarge, "The body may have at most %d bytes.", tooLarge.Limit)
	case errors.As(err, &syntax):
		return errs.About(errs.Malformed, syntax.Pointer.LastToken(), "The body is not JSON: %s", syntax)
	case errors.As(err, &meaning) && meaning.JSONPointer != "":
		return errs.About(errs.Malformed, meaning.JSONPointer.LastToken(), "This is not what is expected here.")
	}
	return errs.New(errs.Malformed, "The body is not the JSON that is expected here.")
}

// writeJSON answers with v. It encodes before it writes the header, so a
// handler that fails has written nothing.
func writeJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeRaw(w, status, body)
}

// writeRaw answers with JSON that is encoded already.
func writeRaw(w http.ResponseWriter, status int, body []byte) error {
	w.Header().Set("Content-Type", "application/json")
	return send(w, status, body)
}

// send writes the header and the body. A peer that is gone by then is no
// failure of the request: there is nobody to tell.
func send(w http.ResponseWriter, status int, body []byte) error {
	w.WriteHeader(status)
	_, _ = w.Write(body) // #nosec G705 -- JSON, told as such, with nosniff
	return nil
}

// stamp is a time as the wire shows it (SPEC V6).
type stamp time.Time

// MarshalText writes the time.
func (s stamp) MarshalText() ([]byte, error) {
	return []byte(protocol.FormatTime(time.Time(s))), nil
}
