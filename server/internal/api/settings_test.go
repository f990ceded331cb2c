package api_test

import (
	"strings"
	"testing"
)

const path = "/users/TestUser6/settings"

// [SPEC V2] [SPEC V3] GET shows the effective settings, and who chose them; texts as received.
func TestGetSettings(t *testing.T) {
	w := newWorld(t)
	one, two := w.pair()
	defaults := `"settings":{"billing":{"period":3,"salary":2500},"user":{"acceptedTerms":false,"email":"","username":""}},"keys":{}}`
	if got := one.call("GET", path, "", 200); !strings.HasSuffix(got, `"revision":0,`+defaults) {
		t.Errorf("nobody chose anything: %s", got)
	}
	one.call("PATCH", path, `{"billing":{"salary":1.0e3},"user":{"username":"Zo\u00eb"}}`, 200)
	one.call("PATCH", path, `{"billing":{"salary":null}}`, 200)
	got := two.call("GET", path, "", 200)
	for _, part := range []string{
		`"revision":2,"settings":{"billing":{"period":3,"salary":2500},"user":{"acceptedTerms":false,"email":"","username":"Zo\u00eb"}}`,
		`"keys":{"billing":{"salary":{"revision":2,"device":"` + one.id, `"user":{"username":{"revision":1,"device":"` + one.id,
	} {
		if !strings.Contains(got, part) {
			t.Errorf("no %s in %s", part, got)
		}
	}
	_, _, h := one.try("GET", path, "")
	tag := h.Get("ETag")
	one.call("GET", path, "", 304, "If-None-Match", tag)
	one.call("GET", path, "", 304, "If-None-Match", "W/"+tag)
	one.call("GET", path, "", 200, "If-None-Match", `"other.2"`)
}

// [SPEC P7] [SPEC P5] PATCH in both forms, with its headers; every answer has its status.
func TestPatchSettings(t *testing.T) {
	w := newWorld(t)
	one, _ := w.pair()
	_, _, h := one.try("PATCH", path, `{"billing":{"salary":1}}`)
	tag := h.Get("ETag")
	frame := []string{"Content-Type", "application/vnd.settings-sync.patch+json"}
	for _, step := range []struct {
		name, body string
		headers    []string
		status     int
		want       string
	}{
		{"merge patch", `{"billing":{"salary":2}}`, []string{"Content-Type", "application/merge-patch+json"}, 200, `"revision":2`},
		{"a block reset", `{"billing":null}`, nil, 200, `"revision":3`},
		{"old If-Match", `{"billing":{"salary":3}}`, []string{"If-Match", tag}, 412, `"code":"precondition-failed"`},
		{"bad If-Match", `{"billing":{"salary":3}}`, []string{"If-Match", `"x"`}, 400, `"field":"If-Match"`},
		{"any If-Match", `{"billing":{"salary":3}}`, []string{"If-Match", "*"}, 200, `"revision":4`},
		{"an id", `{"billing":{"salary":5}}`, []string{"Idempotency-Key", `"k1"`}, 200, `"id":"k1","revision":5,"duplicate":false`},
		{"the id again", `{"billing":{"salary":5}}`, []string{"Idempotency-Key", "k1"}, 200, `"id":"k1","revision":5,"duplicate":true`},
		{"the id with another body", `{"billing":{"salary":6}}`, []string{"Idempotency-Key", "k1"}, 409, `"code":"id-reused"`},
		{"a bad id", `{"billing":{"salary":6}}`, []string{"Idempotency-Key", "a b"}, 422, `"field":"id"`},
		{"a frame", `{"id":"k2","set":{"billing":{"salary":7}},"base":{"billing":{"salary":5}}}`, frame, 200, `"revision":6`},
		{"a frame too late", `{"id":"k3","set":{"billing":{"salary":8}},"base":{"billing":{"salary":5}}}`, frame, 409, `"current":{"billing":{"salary":{"value":7,"revision":6`},
		{"two ids", `{"id":"k4","set":{"billing":{"salary":8}}}`, append([]string{"Idempotency-Key", "k5"}, frame...), 422, "Idempotency-Key"},
		{"a bad value", `{"billing":{"salary":-1}}`, nil, 422, `"errors":[{"field":"billing.salary","message":`},
		{"an unknown key", `{"billing":{"shoe":1}}`, nil, 422, `"field":"billing.shoe"`},
		{"twice the key", `{"billing":{"salary":1,"salary":2}}`, nil, 400, `"code":"malformed"`},
		{"another case", `{"Billing":{"salary":1}}`, nil, 422, `"field":"Billing.salary"`},
		{"not an object", `[]`, nil, 400, `"code":"malformed"`},
		{"too deep", `{"billing":{"salary":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}}`, nil, 400, `"code":"malformed"`},
		{"plain text", `{}`, []string{"Content-Type", "text/plain"}, 415, `"code":"unsupported"`},
		{"too large a body", `{"user":{"username":"` + strings.Repeat("x", 40<<10) + `"}}`, nil, 413, `"code":"too-large"`},
		{"too large a value", `{"user":{"username":"` + strings.Repeat("x", 9<<10) + `"}}`, nil, 413, `"field":"user.username"`},
	} {
		status, text, _ := one.try("PATCH", path, step.body, step.headers...)
		if status != step.status || !strings.Contains(text, step.want) {
			t.Errorf("%s: %d %s, want %d %s", step.name, status, text, step.status, step.want)
		}
	}
	if got := one.call("GET", path, "", 200); !strings.Contains(got, `"revision":6,`) {
		t.Errorf("refusals changed something: %s", got)
	}
}

// Who has not joined sees nothing, and a missing user looks the same (SEC-42).
func TestSettingsOfOthers(t *testing.T) {
	w := newWorld(t)
	w.pair()
	stranger := w.device("Stranger", "eve@example.org")
	_, missing, _ := stranger.try("GET", "/users/Nobody/settings", "")
	for _, method := range []string{"GET", "PATCH"} {
		status, text, _ := stranger.try(method, path, map[string]string{"PATCH": `{"billing":{"salary":1}}`}[method])
		if status != 404 || text != missing {
			t.Errorf("%s: %d %s, missing: %s", method, status, text, missing)
		}
	}
	(&client{w: w}).call("GET", path, "", 401)
}

func TestSchemaIsPublic(t *testing.T) {
	w := newWorld(t)
	if got := (&client{w: w}).call("GET", "/schema", "", 200); !strings.Contains(got, `"default": 2500`) {
		t.Error(got)
	}
}
