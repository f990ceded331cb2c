package api_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// spellings are the forms in which proxies and clients send a version back.
func spellings(version string) map[string]string {
	return map[string]string{
		"as it was sent":             `"` + version + `"`,
		"weak, as nginx makes it":    `W/"` + version + `"`,
		"with Caddy's suffix":        `"` + version + `-gzip"`,
		"with Apache's, weak":        `W/"` + version + `-br"`,
		"bare":                       version,
		"in a list":                  `"elsewhere.7", W/"` + version + `"`,
		"in a list with what is not": `"a", "b-c" ,W/"` + version + `",`,
	}
}

// Fault C1: a proxy that compresses weakens the ETag, so no If-Match fits again.
// [SPEC P8] A version is a version in every spelling, wherever one is taken.
func TestVersionsInEverySpelling(t *testing.T) {
	w := newWorld(t)
	one, _ := w.pair()
	const six = "/users/TestUser6"
	version := func() string {
		t.Helper()
		_, _, h := one.try("GET", six+"/settings", "")
		return strings.Trim(h.Get("ETag"), `"`)
	}
	salary := 0
	change := func() string {
		salary++
		return fmt.Sprintf(`{"billing":{"salary":%d}}`, salary)
	}
	one.call("PATCH", six+"/settings", change(), 200)
	doors := map[string]func() (method, path, body string){
		"patch":   func() (string, string, string) { return "PATCH", six + "/settings", change() },
		"restore": func() (string, string, string) { return "POST", six + "/restore", `{"revision":1}` },
		"import": func() (string, string, string) {
			return "POST", six + "/import", `{"format":"social-server.settings","version":1,"settings":` + change() + `}`
		},
		"undo": func() (string, string, string) {
			_, newest, _ := strings.Cut(version(), ".")
			return "POST", six + "/undo", `{"revision":` + newest + `}`
		},
	}
	for door, request := range doors {
		for name := range spellings("") {
			one.call("PATCH", six+"/settings", change(), 200)
			old := version()
			one.call("PATCH", six+"/settings", change(), 200)
			method, path, body := request()
			if status, text, _ := one.try(method, path, body, "If-Match", spellings(old)[name]); status != 412 {
				t.Errorf("%s at the version before, %s: %d %s, want 412", door, name, status, text)
			}
			if status, text, _ := one.try(method, path, body, "If-Match", spellings(version())[name]); status != 200 {
				t.Errorf("%s at the current version, %s: %d %s, want 200", door, name, status, text)
			}
		}
		method, path, body := request()
		one.call(method, path, body, 200, "If-Match", "*")
		one.call(method, path, body, 400, "If-Match", `"a", "b"`)
	}
	now := version()
	for name, tag := range spellings(now) {
		one.call("GET", six+"/settings", "", 304, "If-None-Match", tag)
		if strings.Contains(tag, ",") {
			continue // the doors below take one version
		}
		one.call("GET", six+"/settings?since="+url.QueryEscape(tag), "", 304)
		if e, _ := one.follow(tag).next(); e.kind != "welcome" {
			t.Errorf("a stream that resumes at the version %s begins with %+v", name, e)
		}
	}
	one.call("GET", six+"/settings", "", 304, "If-None-Match", "*")
	one.call("GET", six+"/settings", "", 200, "If-None-Match", `"a", W/"elsewhere.7"`)
}

// Fault C1: the same id with the same condition, once through a proxy that
// weakens it, is a repeat and no other request.
func TestWeakRepeatIsARepeat(t *testing.T) {
	w := newWorld(t)
	one, _ := w.pair()
	_, _, h := one.try("PATCH", path, `{"billing":{"salary":1}}`)
	for _, tag := range []string{h.Get("ETag"), "W/" + h.Get("ETag")} {
		text := one.call("PATCH", path, `{"billing":{"salary":2}}`, 200, "Idempotency-Key", "k1", "If-Match", tag)
		if !strings.Contains(text, `"revision":2`) {
			t.Errorf("%s: %s", tag, text)
		}
	}
}
