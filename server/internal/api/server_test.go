package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"social-server/internal/errs"
)

// page stands in for the client.
var page = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "page of "+r.URL.Path) })

// TestAddresses: what is not there is told in JSON below /api, and is the
// client's elsewhere; nothing is redirected.
func TestAddresses(t *testing.T) {
	s := newSite(t, func(s *Server) { s.Web = page })
	tests := []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/", 200, ""},
		{"GET", "/app", 200, ""},
		{"GET", "/apiary", 200, ""},
		{"GET", "//api/v1/users", 200, ""},
		{"GET", "/api", 404, ""},
		{"GET", "/api/", 404, ""},
		{"GET", "/api/v1", 404, ""},
		{"GET", "/api/v2/users", 404, ""},
		{"POST", "/api/v1/login/", 404, ""},
		{"POST", "/api/v1/Login", 404, ""},
		{"POST", "/api/v1/users/a%2Fjoin", 404, ""},
		{"POST", "/api/v1/users%2Fa/join", 404, ""},
		{"GET", "/api/v1/../v1/users", 404, ""},
		{"GET", "/api/v1/login", 405, "POST"},
		{"DELETE", "/api/v1/users", 405, "GET, HEAD, POST"},
		{"PUT", "/api/v1/devices/me", 405, "DELETE, GET, HEAD, PATCH"},
		{"OPTIONS", "/api/v1/users", 405, "GET, HEAD, POST"},
		{"TRACE", "/api/v1/login", 405, "POST"},
		{"POST", "/healthz", 405, "GET, HEAD"},
		{"HEAD", "/healthz", 200, ""},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			a := s.call(tt.method, tt.path, "")
			code := map[int]string{404: "not-found", 405: "method-not-allowed"}[tt.status]
			a.want(t, "answer", tt.status, code)
			if got := a.header.Get("Allow"); got != tt.allow {
				t.Errorf("Allow: %s, want %s", got, tt.allow)
			}
		})
	}
	without := newSite(t)
	without.call("GET", "/app", "").want(t, "a page without a client", 404, "not-found")
}

// TestEveryRouteIsGuarded: each but the open ones refuses who is not logged in.
func TestEveryRouteIsGuarded(t *testing.T) {
	s := newSite(t)
	var open []string
	for _, r := range s.routes() {
		if r.open {
			open = append(open, r.path)
			continue
		}
		path := strings.NewReplacer("{id}", "me", "{username}", "x").Replace(r.path)
		for name, auth := range map[string]change{
			"nothing": func(*http.Request) {}, "a bad token": token("x"), "basic": header("Authorization", "Basic eDp4"),
			"no token": header("Authorization", "Bearer "),
			"two":      func(r *http.Request) { r.Header["Authorization"] = []string{"Bearer x", "Bearer y"} },
		} {
			a := s.call(r.method, path, "", auth)
			a.want(t, r.method+" "+path+" with "+name, 401, "unauthorized")
			if got := a.header.Get("WWW-Authenticate"); got != `Bearer realm="social-server"` {
				t.Errorf("WWW-Authenticate: %s", got)
			}
		}
		s.call(r.method, path+"?access_token=x&token=x", "").want(t, "a token in the address", 401, "unauthorized")
	}
	for _, path := range []string{"/healthz", "/readyz", "/api/v1/register", "/api/v1/login", "/api/v1/refresh", "/api/v1/logout"} {
		if !slices.Contains(open, path) {
			t.Errorf("%s is not open", path)
		}
	}
}

// TestHeadersOfEveryAnswer, whoever gives it (SEC-36).
func TestHeadersOfEveryAnswer(t *testing.T) {
	s := newSite(t, func(s *Server) {
		s.Web = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("in the client") })
	})
	answers := map[string]reply{
		"200": s.call("GET", "/healthz", ""),
		"401": s.call("GET", "/api/v1/users", ""),
		"403": s.call("POST", "/api/v1/login", "{}", header("Sec-Fetch-Site", "cross-site")),
		"404": s.call("GET", "/api/none", ""),
		"405": s.call("GET", "/api/v1/login", ""),
		"500": s.call("GET", "/panic", ""),
	}
	ids := map[string]bool{}
	for status, a := range answers {
		if got := fmt.Sprint(a.status); got != status {
			t.Errorf("status %s, want %s", got, status)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Strict-Transport-Security": "",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %s: %q, want %q", status, name, got, want)
			}
		}
		ids[a.header.Get("X-Request-Id")] = true
	}
	if len(ids) != len(answers) || ids[""] {
		t.Errorf("request ids %v", ids)
	}
	if got := answers["404"].header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control of the API: %q", got)
	}
	if got := answers["500"].header.Get("Cache-Control"); got != "" {
		t.Errorf("Cache-Control of a page: %q, want what the client says", got)
	}
}

// TestPanic is answered once, logged with its stack, and does not stop the server.
func TestPanic(t *testing.T) {
	s := newSite(t, func(s *Server) {
		s.Web = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/after":
				w.WriteHeader(http.StatusOK)
				_, _ = io.WriteString(w, "half")
				_ = http.NewResponseController(w).Flush()
			case "/aborted":
				panic(http.ErrAbortHandler)
			}
			panic("deliberate")
		})
	})
	a := s.call("GET", "/before", "")
	a.want(t, "a panic", 500, "internal")
	if strings.Contains(a.body, "deliberate") {
		t.Errorf("the answer tells too much: %s", a.body)
	}
	for _, path := range []string{"/after", "/aborted"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := s.client.Do(r)
		if err == nil {
			_, err = io.ReadAll(response.Body)
			_ = response.Body.Close()
		}
		if err == nil {
			t.Errorf("%s: an answer cut off looks whole", path)
		}
	}
	s.call("GET", "/healthz", "").want(t, "afterwards", 200, "")
	panics := s.log.records(t, "panic")
	if len(panics) != 2 {
		t.Fatalf("%d panics logged, want those of before and after", len(panics))
	}
	if stack, _ := panics[0]["stack"].(string); panics[0]["fault"] != "deliberate" || !strings.Contains(stack, "server_test.go") {
		t.Errorf("logged %v", panics[0])
	}
	if panics[0]["request"] != a.header.Get("X-Request-Id") {
		t.Error("the log does not say which request it was")
	}
}

// TestTakenOver: what is left of a request after its handler is waited for, may
// panic, and its line is written when it has ended.
func TestTakenOver(t *testing.T) {
	over, began := make(chan struct{}), make(chan struct{})
	s := newSite(t, func(s *Server) {
		s.Web = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			noteOf(r.Context()).rest = func() {
				defer conn.Close()
				close(began)
				<-over
				panic("deliberate")
			}
		})
	})
	ended := make(chan error, 1)
	go func() {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/", nil)
		if err == nil {
			_, err = s.client.Do(r) //nolint:bodyclose // there is none
		}
		ended <- err
	}()
	<-began
	soon, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Wait(soon); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait() = %v while a connection lasts", err)
	}
	if lines := s.log.records(t, "request"); len(lines) != 0 {
		t.Errorf("logged before the end: %v", lines)
	}
	close(over)
	if err := s.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Error("the connection was closed, and looks answered")
	}
	lines, panics := s.log.records(t, "request"), s.log.records(t, "panic")
	if len(lines) != 1 || len(panics) != 1 {
		t.Fatalf("%d lines and %d panics logged, want one of each", len(lines), len(panics))
	}
	if lines[0]["status"] != float64(http.StatusSwitchingProtocols) || lines[0]["request"] == nil || lines[0]["request"] != panics[0]["request"] {
		t.Errorf("logged %v and %v", lines[0], panics[0])
	}
}

// Fault E9: of a query parameter given twice the first was taken, and a proxy
// may take the last.
// [SPEC E7] It is refused at every route, with its name.
func TestParametersAreGivenOnce(t *testing.T) {
	s := newSite(t)
	variable := regexp.MustCompile(`\{\w+\}`)
	for _, r := range s.routes() {
		path := variable.ReplaceAllString(r.path, "x")
		for query, fields := range map[string][]string{
			"since=x.1&since=x.2":              {"since"},
			"wait=1&%77ait=1":                  {"wait"},
			"before=1&limit=2&before=1&limit=": {"before", "limit"},
			"unknown&unknown":                  {"unknown"},
			"%ff=1&%ff=2":                      {"\ufffd"},
			strings.Repeat("a", 100) + "&" + strings.Repeat("a", 100): {strings.Repeat("a", 64)},
			"a=%zz": nil,
			"a;b":   nil,
		} {
			a := s.call(r.method, path+"?"+query, "")
			a.want(t, r.method+" "+path+"?"+query, http.StatusBadRequest, "malformed")
			var problem struct{ Errors []struct{ Field string } }
			if err := json.Unmarshal([]byte(a.body), &problem); err != nil {
				t.Fatal(err)
			}
			var named []string
			for _, e := range problem.Errors {
				named = append(named, e.Field)
			}
			if !slices.Equal(named, fields) {
				t.Errorf("%s %s?%s names %q, want %q", r.method, path, query, named, fields)
			}
		}
	}
	for _, query := range []string{"unknown=1", "a=1&A=1", "a&b&c", ""} {
		s.call("GET", "/healthz?"+query, "").want(t, "?"+query, http.StatusOK, "")
	}
}

// TestOtherOrigins may read nothing and change nothing, unless allowed.
func TestOtherOrigins(t *testing.T) {
	s := newSite(t, func(s *Server) { s.Wire.Origins = []string{"https://friend.example"} })
	tests := map[string]struct {
		changes []change
		status  int
	}{
		"not a browser":     {nil, 422},
		"same origin":       {[]change{header("Sec-Fetch-Site", "same-origin")}, 422},
		"cross site":        {[]change{header("Sec-Fetch-Site", "cross-site")}, 403},
		"a sister site":     {[]change{header("Sec-Fetch-Site", "same-site")}, 403},
		"an old browser":    {[]change{header("Origin", "https://evil.example")}, 403},
		"no origin to name": {[]change{header("Origin", "null")}, 403},
		"own page, no name": {[]change{header("Origin", "null"), header("Sec-Fetch-Site", "same-origin")}, 422}, // a form of a page that sends no referrer
		"foreign, no name":  {[]change{header("Origin", "null"), header("Sec-Fetch-Site", "cross-site")}, 403},
		"own scheme alone":  {[]change{header("Origin", "https://"+strings.TrimPrefix(s.url, "http://"))}, 403}, // Fault E9
		"own, in capitals":  {[]change{header("Origin", strings.ToUpper(s.url))}, 422},
		"a friend":          {[]change{header("Origin", "https://friend.example"), header("Sec-Fetch-Site", "cross-site")}, 422},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a := s.call("POST", "/api/v1/login", "{}", tt.changes...)
			a.want(t, "answer", tt.status, map[int]string{403: "forbidden", 422: "invalid"}[tt.status])
			if got := a.header.Get("Access-Control-Allow-Origin"); got != "" {
				t.Errorf("Access-Control-Allow-Origin: %s", got)
			}
		})
	}
	bad := &Server{Log: s.Log, Wire: Wire{Origins: []string{"friend.example"}}}
	if _, err := bad.Handler(); err == nil {
		t.Error("an origin that is none was taken")
	}
}

// Fault B1: a form that a browser submits by itself reaches its page. On plain
// HTTP the browser names no origin and no site, because of our Referrer-Policy.
func TestFormsReachTheirPage(t *testing.T) {
	s := newSite(t, func(s *Server) {
		s.Web = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusSeeOther)
		})
	})
	for _, change := range []change{
		header("Origin", "null"), header("Sec-Fetch-Site", "same-origin"), header("Sec-Fetch-Site", "cross-site"),
	} {
		if a := s.call("POST", "/register", "", change); a.status != http.StatusSeeOther || a.header.Get("Location") != "/register" {
			t.Errorf("%d to %q", a.status, a.header.Get("Location"))
		}
		s.call("POST", "/api/v1/register", "{}", header("Origin", "null")).want(t, "the API", 403, "forbidden")
	}
}

func TestHealth(t *testing.T) {
	s := newSite(t, func(*Server) {})
	s.call("GET", "/healthz", "").want(t, "healthz", 200, "")
	s.call("GET", "/readyz", "").want(t, "readyz before", 503, "unavailable")
	s.SetReady(true)
	s.call("GET", "/readyz", "").want(t, "readyz", 200, "")
	s.SetReady(false)
	s.call("GET", "/readyz", "").want(t, "readyz at the end", 503, "unavailable")

	check := func(name string, needed bool, err error) Check {
		return Check{Name: name, Needed: needed, Run: func(context.Context) error { return err }}
	}
	s = newSite(t, func(s *Server) { s.Checks = []Check{check("database", true, errors.New("no database"))} })
	s.SetReady(true)
	answer := s.call("GET", "/readyz", "")
	answer.want(t, "readyz without a database", 503, "unavailable")
	if text := string(answer.body); !strings.Contains(text, `"field":"database"`) {
		t.Errorf("no reason in %s", text)
	}
	if warned := s.log.records(t, "request failed"); len(warned) != 1 || warned[0]["err"] != "no database" {
		t.Errorf("logged %v", warned)
	}
	// What is only missed does not keep requests away.
	s = newSite(t, func(s *Server) {
		s.Checks = []Check{check("database", true, nil), check("relay", false, errors.New("no relay"))}
	})
	s.SetReady(true)
	answer = s.call("GET", "/readyz", "")
	answer.want(t, "readyz without a relay", 200, "")
	if text := string(answer.body); !strings.Contains(text, `"relay":"unavailable"`) || !strings.Contains(text, `"database":"ok"`) {
		t.Errorf("answered %s", text)
	}
	// A part that does not answer is one that has failed, in time.
	hangs := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	s = newSite(t, func(s *Server) { s.Checks = []Check{{Name: "database", Needed: true, Run: hangs}} })
	s.SetReady(true)
	s.call("GET", "/readyz", "").want(t, "readyz of a database that hangs", 503, "unavailable")
}

// TestFailuresAreLoggedOnce, if they are ours, with their cause and the request.
func TestFailuresAreLoggedOnce(t *testing.T) {
	tests := map[string]struct {
		err   error
		level string
	}{
		"ours":           {errors.New("cause"), "ERROR"},
		"of a part":      {&errs.Error{Code: errs.Unavailable, Cause: errors.New("cause")}, "WARN"},
		"the person's":   {errs.New(errs.NotFound, "no"), ""},
		"several fields": {errors.Join(errs.Field("a", "no"), errs.Field("b", "no")), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			failing := s.handle(func(http.ResponseWriter, *http.Request) error { return tt.err })
			s.observe(failing).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/api/x", nil))
			failed := s.log.records(t, "request failed")
			if tt.level == "" {
				if failed != nil {
					t.Errorf("logged %v", failed)
				}
				return
			}
			if len(failed) != 1 || failed[0]["level"] != tt.level || failed[0]["err"] != "cause" || failed[0]["request"] == nil {
				t.Errorf("logged %v", failed)
			}
		})
	}
}
