package api

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"social-server/internal/errs"
)

// statusOf is the one table from codes to HTTP statuses (SPEC E6).
var statusOf = map[errs.Code]int{
	errs.Invalid:            http.StatusUnprocessableEntity,
	errs.Malformed:          http.StatusBadRequest,
	errs.Unauthorized:       http.StatusUnauthorized,
	errs.Expired:            http.StatusUnauthorized,
	errs.Revoked:            http.StatusUnauthorized,
	errs.Forbidden:          http.StatusForbidden,
	errs.Misdirected:        http.StatusMisdirectedRequest,
	errs.NotFound:           http.StatusNotFound,
	errs.MethodNotAllowed:   http.StatusMethodNotAllowed,
	errs.Conflict:           http.StatusConflict,
	errs.IDReused:           http.StatusConflict,
	errs.PreconditionFailed: http.StatusPreconditionFailed,
	errs.TooLarge:           http.StatusRequestEntityTooLarge,
	errs.Timeout:            http.StatusRequestTimeout,
	errs.Unsupported:        http.StatusUnsupportedMediaType,
	errs.QuotaExceeded:      http.StatusConflict,
	errs.NotReady:           http.StatusServiceUnavailable,
	errs.RateLimited:        http.StatusTooManyRequests,
	errs.StorageFull:        http.StatusInsufficientStorage,
	errs.Unavailable:        http.StatusServiceUnavailable,
	errs.Internal:           http.StatusInternalServerError,
}

// problem is the body of every failure (RFC 9457).
type problem struct {
	Type   string       `json:"type"`
	Title  string       `json:"title"`
	Status int          `json:"status"`
	Detail string       `json:"detail"`
	Code   errs.Code    `json:"code"`
	Errors []fieldError `json:"errors"`
}

// fieldError says what is wrong with one field.
type fieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// extended is an error that has more to say than every problem does. Members
// returns it as JSON members without the braces around them.
type extended interface{ Members() []byte }

// writeProblem answers with err, in words meant for the person and no others.
func writeProblem(w http.ResponseWriter, err error) error {
	e := errs.From(err)
	status := statusOf[e.Code]
	p := problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: e.Message, Code: e.Code,
	}
	for _, one := range errs.All(err) {
		if one.Field != "" {
			p.Errors = append(p.Errors, fieldError{one.Field, one.Message})
		}
	}
	body, err2 := json.Marshal(p)
	if err2 != nil {
		return err2
	}
	if more := extended(nil); errors.As(err, &more) {
		body = append(body[:len(body)-1], ',')
		body = append(append(body, more.Members()...), '}')
	}
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", wholeSeconds(e.RetryAfter))
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="social-server"`)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	return send(w, status, body)
}

// wholeSeconds rounds up, so that nobody is told to come back too early.
func wholeSeconds(d time.Duration) string {
	return strconv.Itoa(int(math.Ceil(d.Seconds())))
}
