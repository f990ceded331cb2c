package api_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"social-server/internal/account"
)

// contract holds the API's document against what really goes over the wire: it
// is the transport of a test's client, and checks each exchange on its way.
type contract struct {
	t        *testing.T
	next     http.RoundTripper
	doc      map[string]any
	compiler *jsonschema.Compiler

	mu   sync.Mutex
	seen map[string]bool // "GET /path 200"
}

const documentURL = "file:///openapi.json"

func newContract(t *testing.T, next http.RoundTripper) *contract {
	t.Helper()
	text, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := &contract{t: t, next: next, doc: doc.(map[string]any), compiler: jsonschema.NewCompiler(), seen: map[string]bool{}}
	c.compiler.DefaultDraft(jsonschema.Draft2020)
	if err := c.compiler.AddResource(documentURL, doc); err != nil {
		t.Fatal(err)
	}
	return c
}

// RoundTrip sends the request and checks both bodies.
func (c *contract) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent []byte
	if r.Body != nil {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = http.NoBody
		if len(sent) > 0 {
			r.Body = io.NopCloser(bytes.NewReader(sent))
		}
	}
	answer, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	received, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(received))
	if err := c.check(r, sent, answer, received); err != nil {
		c.t.Errorf("%s %s → %d: %v", r.Method, r.URL.Path, answer.StatusCode, err)
	}
	return answer, nil
}

// check compares one exchange with the document.
func (c *contract) check(r *http.Request, sent []byte, answer *http.Response, received []byte) error {
	path, ok := c.path(r.URL.Path)
	if !ok {
		return fmt.Errorf("the path is not described")
	}
	at := "#/paths/" + escape(path) + "/" + strings.ToLower(r.Method)
	if answer.StatusCode < 300 && len(sent) > 0 {
		if err := c.body(at+"/requestBody", r.Header.Get("Content-Type"), sent); err != nil {
			return fmt.Errorf("request: %w", err)
		}
	}
	status := strconv.Itoa(answer.StatusCode)
	c.mu.Lock()
	c.seen[r.Method+" "+path+" "+status] = true
	c.mu.Unlock()
	return c.body(at+"/responses/"+status, answer.Header.Get("Content-Type"), received)
}

// path returns the template in the document that a real path is of.
func (c *contract) path(real string) (string, bool) {
	if _, ok := c.doc["paths"].(map[string]any)[real]; ok {
		return real, true // before any with a variable
	}
	variable := regexp.MustCompile(`\\\{\w+\\\}`)
	for template := range c.doc["paths"].(map[string]any) {
		if regexp.MustCompile("^" + variable.ReplaceAllString(regexp.QuoteMeta(template), `[^/]+`) + "$").MatchString(real) {
			return template, true
		}
	}
	return "", false
}

// body validates a body against the schema that the part of the document at a
// pointer has for its media type.
func (c *contract) body(at, contentType string, body []byte) error {
	at, part, err := c.resolve(at)
	if err != nil {
		return err
	}
	content, _ := part["content"].(map[string]any)
	if len(content) == 0 {
		if len(body) > 0 {
			return fmt.Errorf("has a body, and none is described")
		}
		return nil
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return fmt.Errorf("media type %q: %w", contentType, err)
	}
	if content[kind] == nil {
		return fmt.Errorf("media type %s is not described", kind)
	}
	if kind == "text/event-stream" {
		return nil // its frames are SPEC's
	}
	schema, err := c.compiler.Compile(documentURL + at + "/content/" + escape(kind) + "/schema")
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%.200s: %w", body, err)
	}
	if err := schema.Validate(value); err != nil {
		return fmt.Errorf("%.300s: %w", body, err)
	}
	return nil
}

// resolve returns a part of the document, and where it really is: a part may
// stand for one under components.
func (c *contract) resolve(at string) (string, map[string]any, error) {
	var part any = c.doc
	for _, token := range strings.Split(strings.TrimPrefix(at, "#/"), "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		object, _ := part.(map[string]any)
		if part = object[token]; part == nil {
			return "", nil, fmt.Errorf("%s is not described", at)
		}
	}
	object, ok := part.(map[string]any)
	if !ok {
		return "", nil, fmt.Errorf("%s is no object", at)
	}
	if ref, ok := object["$ref"].(string); ok {
		return c.resolve(ref)
	}
	return at, object, nil
}

// escape writes a name into a JSON pointer.
func escape(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

// successes returns every operation with each status below 300 that it may answer.
func (c *contract) successes() []string {
	var all []string
	for path, item := range c.doc["paths"].(map[string]any) {
		for method, operation := range item.(map[string]any) {
			if method == "parameters" {
				continue
			}
			for status := range operation.(map[string]any)["responses"].(map[string]any) {
				if status < "300" {
					all = append(all, strings.ToUpper(method)+" "+path+" "+status)
				}
			}
		}
	}
	return all
}

// TestAnswersAreAsDescribed goes once through everything a device can ask for,
// and through the ways to be refused. Every answer is checked by the contract;
// at the end each success that the document promises must have been seen.
func TestAnswersAreAsDescribed(t *testing.T) {
	w := newWorld(t)
	c := newContract(t, w.server.Client().Transport)
	w.server.Client().Transport = c

	for _, path := range []string{"/healthz", "/readyz"} {
		answer, err := w.server.Client().Get(w.server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
	}
	one, two := w.pair()
	accountsAsDescribed(one)
	devicesAsDescribed(one, two)
	settingsAsDescribed(one, two)
	historyAsDescribed(one)
	usersAsDescribed(one, two)
	revokedAsDescribed(one, two)
	passwordsAsDescribed(one)

	elsewhere := map[string]bool{
		"GET /readyz 200":                         true, // this world never says that it is ready
		"GET /api/v1/users/{username}/ws 101":     true, // checked by the tests of the live connection
		"GET /api/v1/users/{username}/events 200": true, // likewise: it does not end
	}
	for _, promised := range c.successes() {
		if !c.seen[promised] && !elsewhere[promised] {
			t.Errorf("%s is described and was not seen", promised)
		}
	}
}

const loginBody = `{"deviceName":"Chrome.test6","password":"correct horse"%s}`

func accountsAsDescribed(one *client) {
	nobody := &client{w: one.w}
	nobody.call("GET", "/openapi.json", "", 200)
	nobody.call("GET", "/schema", "", 200)
	nobody.call("POST", "/register", `{"deviceName":"Chrome.test6","email":"x@example.org","password":"correct horse"}`, 409)
	nobody.call("POST", "/register", `{"deviceName":"New","email":"anna@example.org","password":"wrong horse"}`, 401)
	nobody.call("POST", "/register", `{"deviceName":"","email":"nowhere","password":"short"}`, 422)
	nobody.call("POST", "/register", `{"deviceName":1}`, 400)
	nobody.call("POST", "/login", fmt.Sprintf(loginBody, `,"session":"cookie"`), 200)
	nobody.call("POST", "/login", `{"deviceName":"Chrome.test6","password":"wrong"}`, 401)
	nobody.call("POST", "/login", fmt.Sprintf(loginBody, `,"session":"jar"`), 422)
	nobody.call("POST", "/login", `[]`, 400)
	var grant struct{ RefreshToken string }
	if err := json.Unmarshal([]byte(nobody.call("POST", "/login", fmt.Sprintf(loginBody, ""), 200)), &grant); err != nil {
		one.w.t.Fatal(err)
	}
	again := nobody.call("POST", "/refresh", fmt.Sprintf(`{"refreshToken":%q}`, grant.RefreshToken), 200)
	nobody.call("POST", "/refresh", `{"refreshToken":"not one"}`, 401)
	nobody.call("POST", "/refresh", `{"refreshToken":1}`, 400)
	if err := json.Unmarshal([]byte(again), &grant); err != nil {
		one.w.t.Fatal(err)
	}
	nobody.call("POST", "/logout", fmt.Sprintf(`{"refreshToken":%q}`, grant.RefreshToken), 204)
	nobody.call("POST", "/logout", "", 401)
	nobody.call("POST", "/logout", `{"x":1}`, 400)
}

func devicesAsDescribed(one, two *client) {
	one.call("GET", "/devices", "", 200)
	one.call("GET", "/devices/me", "", 200)
	one.call("GET", "/devices/d_nobody", "", 404)
	one.call("PATCH", "/devices/"+two.id, `{"name":"Firefox.renamed"}`, 200)
	one.call("PATCH", "/devices/me", `{"name":"Firefox.renamed"}`, 409)
	one.call("PATCH", "/devices/me", `{"name":" "}`, 422)
	one.call("PATCH", "/devices/me", `{"title":"x"}`, 400)
	one.call("PATCH", "/devices/d_nobody", `{"name":"x"}`, 404)
	one.call("DELETE", "/devices/d_nobody", "", 422)
	one.call("DELETE", "/devices/d_nobody", `{"password":"wrong"}`, 403)
	one.call("DELETE", "/devices/d_nobody", `{"password":"correct horse"}`, 404)
	one.call("POST", "/devices/revoke-others", `{"password":"wrong"}`, 403)
	one.call("POST", "/devices/revoke-others", `{}`, 422)
	one.call("GET", "/audit", "", 200)
	one.call("GET", "/audit?limit=1", "", 200)
	one.call("GET", "/audit?before=x", "", 422)
	one.call("GET", "/audit?limit=1&limit=2", "", 400)
	nobody := &client{w: one.w}
	for _, method := range []string{"GET", "DELETE"} {
		nobody.call(method, "/devices/me", "", 401)
	}
	nobody.call("PATCH", "/devices/me", `{"name":"x"}`, 401)
	nobody.call("GET", "/devices", "", 401)
}

func settingsAsDescribed(one, two *client) {
	const path = "/users/TestUser6/settings"
	const patch = "application/vnd.settings-sync.patch+json"
	one.call("GET", path, "", 200)
	one.call("PATCH", path, `{"billing":{"salary":1021},"user":{"email":"a@example.org"}}`, 200)
	two.call("PATCH", path, `{"billing":{"salary":3000}}`, 200, "Content-Type", "application/merge-patch+json", "Idempotency-Key", "one")
	two.call("PATCH", path, `{"billing":{"salary":3000}}`, 200, "Content-Type", "application/merge-patch+json", "Idempotency-Key", "one")
	two.call("PATCH", path, `{"billing":{"salary":3001}}`, 409, "Idempotency-Key", "one")
	one.call("PATCH", path, `{"id":"two","set":{"billing":{"salary":5}},"base":{"billing":{"salary":1}}}`, 409, "Content-Type", patch)
	one.call("PATCH", path, `{"id":"three","set":{"billing":{"salary":5}},"base":{"billing":{"salary":2}}}`, 200, "Content-Type", patch)
	one.call("PATCH", path, `{"user":{"email":null},"billing":null}`, 200)
	one.call("PATCH", path, `{"billing":{"salary":-1}}`, 422)
	one.call("PATCH", path, `{"billing":{"wage":1}}`, 422)
	one.call("PATCH", path, `{"billing":`, 400)
	one.call("PATCH", path, `salary=1`, 415, "Content-Type", "text/plain")
	one.call("PATCH", path, `{"billing":{"salary":1}}`, 412, "If-Match", `"x.1"`)
	one.call("PATCH", path, `{"user":{"username":"`+strings.Repeat("x", 40<<10)+`"}}`, 413)
	one.call("PATCH", "/users/Nobody/settings", `{"billing":{"salary":1}}`, 404)
	_, _, header := one.try("GET", path, "")
	one.call("GET", path, "", 304, "If-None-Match", header.Get("ETag"))
	one.call("GET", path+"?since="+strings.Trim(header.Get("ETag"), `"`), "", 304)
	one.call("GET", path+"?since=x.1", "", 200)
	one.call("GET", path+"?since=nothing", "", 400)
	one.call("GET", path+"?since=", "", 400)
	one.call("GET", "/users/Nobody/settings", "", 404)
	one.call("GET", "/users/Nobody/settings?since=x.1", "", 404)
	one.call("GET", "/users/TestUser6/ws", "", 400)
	one.call("GET", "/users/Nobody/ws", "", 404)
	one.call("GET", "/users/Nobody/events", "", 404)
	one.call("GET", "/users/TestUser6/events?since=nothing", "", 400)
	nobody := &client{w: one.w}
	nobody.call("GET", path, "", 401)
	nobody.call("PATCH", path, `{}`, 401)
	nobody.call("GET", "/users/TestUser6/events", "", 401)
}

func historyAsDescribed(one *client) {
	const six = "/users/TestUser6"
	nobody := &client{w: one.w}
	for path, body := range map[string]string{
		"/undo": `{"revision":1,"partial":true%s}`, "/restore": `{"revision":0%s}`,
	} {
		one.call("POST", six+path, fmt.Sprintf(body, `,"dryRun":true`), map[string]int{"/undo": 409, "/restore": 200}[path])
		one.call("POST", six+path, `{"revision":99}`, 404)
		one.call("POST", six+path, `{"revision":-1}`, 400)
		one.call("POST", six+path, `{}`, 422)
		one.call("POST", six+path, `x`, 415, "Content-Type", "text/plain")
		one.call("POST", six+path, fmt.Sprintf(body, ""), 412, "If-Match", `"x.1"`)
		nobody.call("POST", six+path, fmt.Sprintf(body, ""), 401)
	}
	one.call("POST", six+"/restore", `{"revision":3}`, 200)
	one.call("POST", six+"/undo", `{"revision":5}`, 200)
	one.call("GET", six+"/history?limit=2", "", 200)
	one.call("GET", six+"/history?limit=x", "", 422)
	one.call("GET", six+"/history?limit=1&limit=2", "", 400)
	one.call("GET", "/users/Nobody/history", "", 404)
	nobody.call("GET", six+"/history", "", 401)
	one.call("PATCH", six+"/settings", `{"billing":{"salary":1200}}`, 200)
	file := one.call("GET", six+"/export", "", 200)
	one.call("GET", "/users/Nobody/export", "", 404)
	nobody.call("GET", six+"/export", "", 401)
	one.call("POST", six+"/import?dryRun=1", file, 200)
	one.call("POST", six+"/import", file, 200)
	one.call("POST", six+"/import", `{"format":"zip"}`, 422)
	one.call("POST", six+"/import", `{`, 400)
	one.call("POST", "/users/Nobody/import", file, 404)
	one.call("POST", six+"/import", file, 412, "If-Match", `"x.1"`)
	one.call("POST", six+"/import", strings.Repeat(" ", 2<<20), 413)
	one.call("POST", six+"/import", file, 415, "Content-Type", "text/plain")
	nobody.call("POST", six+"/import", file, 401)
}

func usersAsDescribed(one, two *client) {
	one.call("GET", "/users", "", 200)
	one.call("POST", "/users", `{"username":"TestUser6"}`, 409)
	one.call("POST", "/users", `{"username":"no slash/"}`, 422)
	one.call("POST", "/users", `{}x`, 400)
	one.call("GET", "/users/TestUser6/devices", "", 200)
	one.call("GET", "/users/Nobody/devices", "", 404)
	two.call("DELETE", "/users/TestUser6/join", "", 204)
	two.call("POST", "/users/TestUser6/join", "", 200)
	joiningAsDescribed(one)
	nobody := &client{w: one.w}
	nobody.call("GET", "/users", "", 401)
	nobody.call("POST", "/users", `{"username":"x"}`, 401)
	nobody.call("POST", "/users/TestUser6/join", "", 401)
	nobody.call("DELETE", "/users/TestUser6/join", "", 401)
	nobody.call("GET", "/users/TestUser6/devices", "", 401)
}

func joiningAsDescribed(one *client) {
	const at6 = "/users/TestUser6"
	guest := one.w.device("Guest", "bob@example.org")
	first := guest.ask("TestUser6")
	one.call("GET", at6+"/asks", "", 200)
	one.call("POST", at6+"/asks/"+first.ID+"/approve", `{"code":"00"}`, 422)
	one.call("POST", at6+"/asks/"+first.ID+"/deny", "", 204)
	one.call("POST", at6+"/asks/"+first.ID+"/deny", `{"block":false}`, 404)
	guest.call("GET", "/asks/"+first.ID+"?wait=20", "", 200)
	guest.call("GET", "/asks/q_none", "", 404)
	guest.call("GET", "/asks/"+first.ID+"?wait=long", "", 400)
	guest.call("GET", at6+"/asks", "", 404)
	guest.call("POST", "/users/no+name/join", "", 422)
	second := guest.ask("TestUser6")
	one.call("POST", at6+"/asks/"+second.ID+"/approve", fmt.Sprintf(`{"code":%q}`, second.Code), 204)
	guest.call("GET", "/users", "", 200)
	guest.call("DELETE", at6+"/members/"+one.id, "", 403)
	one.call("DELETE", at6+"/members/"+guest.id, "", 204)
	one.call("DELETE", at6+"/members/"+guest.id, "", 404)
	guest.call("POST", at6+"/invitations", "", 404)
	guest.call("POST", "/invitations/accept", `{"code":"BCDF-GHJK"}`, 422)
	guest.call("POST", "/invitations/accept", fmt.Sprintf(`{"code":%q}`, one.invite("TestUser6")), 200)
	guest.call("POST", "/devices/revoke-others", `{"password":"correct horse"}`, 204)
	guest.call("DELETE", at6+"/join", "", 204)
	guest.call("DELETE", "/account", `{}`, 422)
	guest.call("DELETE", "/account", `{"password":"wrong"}`, 403)
	guest.call("DELETE", "/account", `{"password":"correct horse"}`, 204)
}

func revokedAsDescribed(one, two *client) {
	one.revoke(two)
	two.call("GET", "/users", "", 401)
	two.call("GET", "/users/TestUser6/events", "", 204)
}

func passwordsAsDescribed(one *client) {
	nobody := &client{w: one.w}
	nobody.call("POST", "/password", `{"current":"x","new":"y"}`, 401)
	one.call("POST", "/password", `{"current":"wrong horse","new":"mule by moonlight"}`, 403)
	one.call("POST", "/password", `{"current":"correct horse","new":"short"}`, 422)
	one.call("POST", "/password", `{"current":1}`, 400)
	one.call("POST", "/password", `{"current":"correct horse","new":"mule by moonlight"}`, 204)
	nobody.call("POST", "/reset", `{"code":"AAAA","password":"mule by moonlight"}`, 401)
	nobody.call("POST", "/reset", `{"code":"","password":"mule by moonlight"}`, 422)
	nobody.call("POST", "/reset", `{"code":[]}`, 400)
	code, _, err := account.NewResetCode(one.w.t.Context(), one.w.store, rand.Reader, time.Now(), "anna@example.org")
	if err != nil {
		one.w.t.Fatal(err)
	}
	nobody.call("POST", "/reset", fmt.Sprintf(`{"code":%q,"password":"correct horse"}`, code), 204)
}
