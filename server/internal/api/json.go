package api

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
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
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return err
	}
	return bodyError(strictjson.Unmarshal(body, v))
}

// readOptionalJSON is readJSON for a request that may have no body. An empty
// body is none, also one that is sent in chunks.
func readOptionalJSON(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := readBody(w, r, maxBody)
	if err != nil || len(body) == 0 {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return readJSON(w, r, v)
}

// readBody returns the body of a request. Every body is read here: one of more
// than most bytes is too-large, one that is slower than the read timeout is
// timeout (SPEC W1).
func readBody(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	if r.Body == http.NoBody {
		return nil, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if err != nil {
		w.Header().Set("Connection", "close") // the rest of it is no request
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, errs.New(errs.Timeout, "The body of the request did not arrive in time.")
	}
	return body, bodyError(err)
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
