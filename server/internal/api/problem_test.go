package api

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"social-server/internal/errs"
)

// wordy is an error with members of its own.
type wordy struct{ error }

func (wordy) Members() []byte { return []byte(`"current":{"a":1}`) }
func (w wordy) Unwrap() error { return w.error }

// TestProblems shows SPEC E6: the body of each failure.
func TestProblems(t *testing.T) {
	const blank = `{"type":"about:blank","title":`
	tests := map[string]struct {
		err    error
		status int
		body   string
	}{
		"plain": {errs.New(errs.NotFound, "There is no such user."), 404,
			blank + `"Not Found","status":404,"detail":"There is no such user.","code":"not-found","errors":[]}`},
		"two fields": {errors.Join(errs.Field("email", "No."), errs.Field("password", "Too <short>.")), 422,
			blank + `"Unprocessable Entity","status":422,"detail":"No.","code":"invalid","errors":[{"field":"email","message":"No."},{"field":"password","message":"Too <short>."}]}`},
		"more to say": {wordy{errs.New(errs.Conflict, "Moved on.")}, 409,
			blank + `"Conflict","status":409,"detail":"Moved on.","code":"conflict","errors":[],"current":{"a":1}}`},
		"not meant for people": {errors.New("sql: password=hunter2"), 500,
			blank + `"Internal Server Error","status":500,"detail":"Something broke on our side.","code":"internal","errors":[]}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			if err := writeProblem(w, tt.err); err != nil {
				t.Fatal(err)
			}
			if w.Code != tt.status || w.Body.String() != tt.body {
				t.Errorf("%d %s, want %d %s", w.Code, w.Body, tt.status, tt.body)
			}
			if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("Content-Type %s", got)
			}
		})
	}
}

// TestEveryCodeHasAStatus, and one of a failure.
func TestEveryCodeHasAStatus(t *testing.T) {
	codes := []errs.Code{
		errs.Invalid, errs.Malformed, errs.Unauthorized, errs.Expired, errs.Revoked, errs.Forbidden, errs.Misdirected, errs.NotFound,
		errs.MethodNotAllowed, errs.Conflict, errs.IDReused, errs.PreconditionFailed, errs.TooLarge, errs.Timeout, errs.Unsupported,
		errs.QuotaExceeded, errs.NotReady, errs.RateLimited, errs.StorageFull, errs.Unavailable, errs.Internal,
	}
	for _, code := range codes {
		if status := statusOf[code]; status < 400 || http.StatusText(status) == "" {
			t.Errorf("%s has status %d", code, status)
		}
	}
	if len(codes) != len(statusOf) {
		t.Errorf("%d codes, %d statuses", len(codes), len(statusOf))
	}
}

func TestRetryAfterIsNeverTooEarly(t *testing.T) {
	for wait, want := range map[time.Duration]string{0: "", time.Millisecond: "1", time.Second: "1", 1001 * time.Millisecond: "2", time.Minute: "60"} {
		w := httptest.NewRecorder()
		if err := writeProblem(w, &errs.Error{Code: errs.RateLimited, RetryAfter: wait}); err != nil {
			t.Fatal(err)
		}
		if got := w.Header().Get("Retry-After"); got != want {
			t.Errorf("Retry-After of %v is %q, want %q", wait, got, want)
		}
	}
}

// TestBodiesAreReadStrictly shows SPEC V4 on a REST body.
func TestBodiesAreReadStrictly(t *testing.T) {
	s := newSite(t)
	const rest = `"email":"a@example.com","password":"tide over marble"}`
	tests := map[string]struct {
		body   string
		status int
		field  string
	}{
		"not JSON":          {`deviceName=x`, 400, ""},
		"an empty object":   {`{}`, 422, "deviceName"},
		"null":              {`null`, 422, "deviceName"},
		"a list":            {`[]`, 400, ""},
		"two values":        {`{"deviceName":"x",` + rest + `{}`, 400, ""},
		"cut off":           {`{"deviceName":"x"`, 400, ""},
		"another case":      {`{"devicename":"x",` + rest, 400, "devicename"},
		"a name twice":      {`{"deviceName":"x","deviceName":"y",` + rest, 400, "deviceName"},
		"an unknown name":   {`{"deviceName":"x","admin":true,` + rest, 400, "admin"},
		"a number":          {`{"deviceName":7,` + rest, 400, "deviceName"},
		"nested":            {`{"deviceName":{"a":[[[]]]},` + rest, 400, "deviceName"},
		"bad UTF-8":         {"{\"deviceName\":\"a\xffb\"," + rest, 400, ""},
		"a lone surrogate":  {`{"deviceName":"a\ud800b",` + rest, 400, ""},
		"a comment":         {`{/**/"deviceName":"x",` + rest, 400, ""},
		"a byte order mark": {"\ufeff" + `{"deviceName":"x",` + rest, 400, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a := s.call("POST", "/api/v1/register", tt.body)
			code := map[int]string{400: "malformed", 422: "invalid"}[tt.status]
			a.want(t, "register", tt.status, code)
			if tt.field != "" {
				blamed, _ := a.json(t, "errors").([]any)
				if first, _ := blamed[0].(map[string]any); first["field"] != tt.field {
					t.Errorf("blames %v, want %s", blamed, tt.field)
				}
			}
		})
	}
}

func TestBodiesOfTheWrongKindOrSize(t *testing.T) {
	s := newSite(t)
	good := object("deviceName", "x", "email", "a@example.com", "password", password)
	for kind, status := range map[string]int{
		"": 415, "text/plain": 415, "application/x-www-form-urlencoded": 415, "application/jsonp": 415, ";": 415,
		"application/json; charset=utf-8": 201,
	} {
		a := s.call("POST", "/api/v1/register", good, header("Content-Type", kind))
		a.want(t, "Content-Type "+strconv.Quote(kind), status, map[int]string{415: "unsupported"}[status])
	}
	huge := object("deviceName", string(make([]byte, maxBody)))
	s.call("POST", "/api/v1/register", huge).want(t, "a huge body", 413, "too-large")
}
