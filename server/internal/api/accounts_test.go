package api

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

// TestShapes pins the JSON of accounts, devices and users.
func TestShapes(t *testing.T) {
	s := newSite(t)
	browser := header("User-Agent", firefox)
	registered := s.call("POST", "/api/v1/register",
		object("deviceName", "Firefox.test6", "email", "six@example.com", "password", password), browser)
	id := registered.text(t, "id")
	shape := func(what string, a reply, status int, want string) {
		t.Helper()
		want = strings.ReplaceAll(want, `"id":"ID"`, `"id":"`+id+`"`) // "ID" alone may be in a token
		if a.status != status || a.body != want {
			t.Errorf("%s: %d %s\nwant %d %s", what, a.status, a.body, status, want)
		}
		if kind := a.header.Get("Content-Type"); a.body != "" && kind != "application/json" {
			t.Errorf("%s: Content-Type %s", what, kind)
		}
	}
	shape("register", registered, 201,
		`{"id":"ID","name":"Firefox.test6","platform":"Firefox on Linux","createdAt":"2026-11-23T09:00:00.000Z","lastSeen":"2026-11-23T09:00:00.000Z"}`)

	login := s.call("POST", "/api/v1/login", object("deviceName", "Firefox.test6", "password", password), browser)
	access, refresh := login.text(t, "accessToken"), login.text(t, "refreshToken")
	shape("login", login, 200, `{"accessToken":"`+access+`","refreshToken":"`+refresh+`","tokenType":"Bearer","expiresIn":900,"device":{"id":"ID","name":"Firefox.test6"}}`)
	me := token(access)

	shape("connect", s.call("POST", "/api/v1/users", object("username", "TestUser6"), me), 201,
		`{"username":"TestUser6","joined":true,"online":0,"revision":0,"owner":true}`)
	shape("join", s.call("POST", "/api/v1/users/TestUser6/join", "", me), 200,
		`{"username":"TestUser6","joined":true,"online":0,"revision":0,"owner":true}`)
	shape("users", s.call("GET", "/api/v1/users", "", me), 200,
		`{"users":[{"username":"TestUser6","joined":true,"online":0,"revision":0,"owner":true}]}`)
	shape("members", s.call("GET", "/api/v1/users/TestUser6/devices", "", me), 200,
		`{"devices":[{"id":"ID","name":"Firefox.test6","online":false,"sessions":0,"lastSeen":"2026-11-23T09:00:00.000Z"}]}`)
	const device = `{"id":"ID","name":"Firefox.test6","platform":"Firefox on Linux","createdAt":"2026-11-23T09:00:00.000Z","lastSeen":"2026-11-23T09:00:00.000Z","online":false,"current":true,"users":["TestUser6"]}`
	shape("devices", s.call("GET", "/api/v1/devices", "", me), 200, `{"devices":[`+device+`]}`)
	shape("device", s.call("GET", "/api/v1/devices/"+id, "", me), 200, device)
	shape("rename", s.call("PATCH", "/api/v1/devices/me", object("name", "Fire"), me), 200,
		strings.Replace(device, "Firefox.test6", "Fire", 1))
	shape("leave", s.call("DELETE", "/api/v1/users/TestUser6/join", "", me), 204, "")
	shape("nobody joined", s.call("GET", "/api/v1/devices/me", "", me), 200,
		strings.NewReplacer("Firefox.test6", "Fire", `["TestUser6"]`, "[]").Replace(device))
	shape("revoke", s.call("DELETE", "/api/v1/devices/me", "", me), 204, "")
	s.call("GET", "/api/v1/devices", "", me).want(t, "a revoked device", 401, "revoked")
}

// TestNamesInAddresses arrive as they were meant, whatever they hold.
func TestNamesInAddresses(t *testing.T) {
	s := newSite(t)
	me := token(s.device("phone", "a@example.com"))
	for _, name := range []string{"пользователь", "用户.6", "a-b_c.d"} {
		s.call("POST", "/api/v1/users", object("username", name), me).want(t, "connect", 201, "")
		s.call("GET", "/api/v1/users/"+url.PathEscape(name)+"/devices", "", me).want(t, name, 200, "")
	}
	for _, path := range []string{"a%2Fb", "%2e%2e", "%00", "a%3Fb", "a%25b", strings.Repeat("x", 5000)} {
		s.call("GET", "/api/v1/users/"+path+"/devices", "", me).want(t, path, 404, "not-found")
	}
}

// TestRegisterNamesEveryField of the form that is wrong.
func TestRegisterNamesEveryField(t *testing.T) {
	s := newSite(t)
	a := s.call("POST", "/api/v1/register", object("deviceName", "", "email", "no", "password", "short"))
	a.want(t, "register", 422, "invalid")
	blamed, _ := a.json(t, "errors").([]any)
	for i, want := range []string{"deviceName", "email", "password"} {
		if one, _ := blamed[i].(map[string]any); one["field"] != want || one["message"] == "" {
			t.Errorf("errors[%d] = %v, want %s", i, blamed[i], want)
		}
	}
	s.register("Chrome.test6", "six@example.com")
	s.call("POST", "/api/v1/register", object("deviceName", "chrome.TEST6", "email", "x@example.com", "password", password)).
		want(t, "a taken name", 409, "conflict")
	s.call("POST", "/api/v1/register", object("deviceName", "Second", "email", "six@example.com", "password", "not the password")).
		want(t, "a wrong password", 401, "unauthorized")
	s.call("POST", "/api/v1/login", object("session", "jar")).want(t, "login", 422, "invalid")
}

// TestNothingTellsADeviceExists: an unknown one and a wrong password get the
// same bytes and headers (SEC-7).
func TestNothingTellsADeviceExists(t *testing.T) {
	s := newSite(t)
	s.register("known", "a@example.com")
	answers := map[string]reply{}
	for _, name := range []string{"known", "unknown"} {
		a := s.call("POST", "/api/v1/login", object("deviceName", name, "password", "not the password"))
		a.want(t, name, 401, "unauthorized")
		a.header.Del("X-Request-Id")
		a.header.Del("Date")
		answers[name] = a
	}
	known, unknown := answers["known"], answers["unknown"]
	if known.body != unknown.body {
		t.Errorf("bodies %s, %s", known.body, unknown.body)
	}
	if !maps.EqualFunc(known.header, unknown.header, func(a, b []string) bool { return strings.Join(a, "|") == strings.Join(b, "|") }) {
		t.Errorf("headers %v, %v", known.header, unknown.header)
	}
}

// TestAnothersObjectsLookMissing: the same bytes for what is not there and what
// is another account's (SEC-42).
func TestAnothersObjectsLookMissing(t *testing.T) {
	s := newSite(t)
	owner, stranger := token(s.device("owner", "a@example.com")), token(s.device("stranger", "b@example.com"))
	id := s.call("GET", "/api/v1/devices/me", "", owner).text(t, "id")
	s.call("POST", "/api/v1/users", object("username", "Mine"), owner).want(t, "connect", 201, "")
	for _, tt := range []struct{ method, others, missing, body string }{
		{"GET", "/devices/" + id, "/devices/d_none", ""},
		{"PATCH", "/devices/" + id, "/devices/d_none", object("name", "taken over")},
		{"DELETE", "/devices/" + id, "/devices/d_none", object("password", password)},
		{"DELETE", "/users/Mine/members/" + id, "/users/None/members/" + id, ""},
		{"GET", "/users/Mine/asks", "/users/None/asks", ""},
		{"POST", "/users/Mine/invitations", "/users/None/invitations", ""},
		{"DELETE", "/users/Mine/join", "/users/None/join", ""},
		{"GET", "/users/Mine/devices", "/users/None/devices", ""},
	} {
		others := s.call(tt.method, "/api/v1"+tt.others, tt.body, stranger)
		missing := s.call(tt.method, "/api/v1"+tt.missing, tt.body, stranger)
		others.want(t, tt.method+" "+tt.others, 404, "not-found")
		if others.body != missing.body || missing.status != 404 {
			t.Errorf("%s %s: %s, missing: %s", tt.method, tt.others, others.body, missing.body)
		}
	}
	s.call("GET", "/api/v1/devices/me", "", owner).want(t, "the owner", 200, "")
}

func TestTokensInTheBody(t *testing.T) {
	s := newSite(t)
	s.register("phone", "a@example.com")
	first := s.call("POST", "/api/v1/login", object("deviceName", "phone", "password", password))
	if cookies := first.header["Set-Cookie"]; cookies != nil {
		t.Errorf("cookies %v", cookies)
	}
	s.advance(15 * time.Minute)
	s.call("GET", "/api/v1/users", "", token(first.text(t, "accessToken"))).want(t, "a token past its time", 401, "expired")
	second := s.call("POST", "/api/v1/refresh", object("refreshToken", first.text(t, "refreshToken")))
	second.want(t, "refresh", 200, "")
	s.call("GET", "/api/v1/users", "", token(second.text(t, "accessToken"))).want(t, "the new token", 200, "")
	s.advance(31 * time.Second)
	s.call("POST", "/api/v1/refresh", object("refreshToken", first.text(t, "refreshToken"))).want(t, "a copied token", 401, "unauthorized")
	s.call("GET", "/api/v1/users", "", token(second.text(t, "accessToken"))).want(t, "the log-in it was copied from", 401, "unauthorized")
	for what, body := range map[string]string{"nothing": "", "an empty object": "{}", "no token of ours": object("refreshToken", "x.y")} {
		s.call("POST", "/api/v1/refresh", body).want(t, "refresh with "+what, 401, "unauthorized")
	}
}

func TestLogout(t *testing.T) {
	s := newSite(t)
	s.register("phone", "a@example.com")
	login := func() (access, refresh string) {
		a := s.call("POST", "/api/v1/login", object("deviceName", "phone", "password", password))
		return a.text(t, "accessToken"), a.text(t, "refreshToken")
	}
	s.call("POST", "/api/v1/logout", "").want(t, "nobody", 401, "unauthorized")

	access, refresh := login()
	s.call("POST", "/api/v1/logout", "", token(access)).want(t, "by access token", 204, "")
	s.call("POST", "/api/v1/refresh", object("refreshToken", refresh)).want(t, "refresh afterwards", 401, "unauthorized")
	s.call("POST", "/api/v1/logout", "", token(access)).want(t, "again", 401, "unauthorized")

	access, refresh = login()
	s.call("POST", "/api/v1/logout", object("refreshToken", refresh)).want(t, "by refresh token", 204, "")
	s.call("GET", "/api/v1/users", "", token(access)).want(t, "the access token afterwards", 401, "unauthorized")
	s.call("POST", "/api/v1/logout", object("refreshToken", refresh)).want(t, "again", 204, "")

	access, refresh = login()
	s.advance(time.Hour)
	s.call("POST", "/api/v1/logout", "", token(access)).want(t, "by a token past its time", 401, "expired")
	s.call("POST", "/api/v1/logout", object("refreshToken", refresh), token(access)).want(t, "with the refresh token", 204, "")
}

// TestRefreshCookie: the refresh token is out of reach of scripts and of other
// hosts, and each answer replaces it.
func TestRefreshCookie(t *testing.T) {
	tests := map[string]struct {
		listen func(http.Handler) *httptest.Server
		cookie string
	}{
		"over TLS":    {httptest.NewTLSServer, `^__Host-refresh-\d+=[^;]+; Path=/; Expires=[^;]+; HttpOnly; Secure; SameSite=Strict$`},
		"without TLS": {httptest.NewServer, `^refresh-\d+=[^;]+; Path=/api/v1; Expires=[^;]+; HttpOnly; SameSite=Strict$`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSiteOn(t, tt.listen)
			s.register("tab", "a@example.com")
			login := s.call("POST", "/api/v1/login", object("deviceName", "tab", "password", password, "session", "cookie"))
			login.want(t, "login", 200, "")
			set := login.header.Get("Set-Cookie")
			if !regexp.MustCompile(tt.cookie).MatchString(set) {
				t.Errorf("Set-Cookie: %s", set)
			}
			if strings.Contains(login.body, "refreshToken") {
				t.Errorf("the body has it as well: %s", login.body)
			}
			jar := func(set string) change {
				pair, _, _ := strings.Cut(set, ";")
				return header("Cookie", pair)
			}
			refreshed := s.call("POST", "/api/v1/refresh", "", jar(set))
			refreshed.want(t, "refresh without a body", 200, "")
			next := refreshed.header.Get("Set-Cookie")
			if !regexp.MustCompile(tt.cookie).MatchString(next) || next == set || strings.Contains(refreshed.body, "refreshToken") {
				t.Errorf("refresh sets %s and answers %s", next, refreshed.body)
			}
			s.call("POST", "/api/v1/refresh", "{}", jar(next)).want(t, "refresh with an empty object", 200, "")
			s.call("GET", "/api/v1/users", "", jar(next)).want(t, "the cookie alone", 401, "unauthorized")

			newest := s.call("POST", "/api/v1/refresh", "", jar(next)).header.Get("Set-Cookie")
			out := s.call("POST", "/api/v1/logout", "", jar(newest))
			out.want(t, "logout", 204, "")
			if gone := out.header.Get("Set-Cookie"); !regexp.MustCompile(`refresh-\d+=; `).MatchString(gone) || !strings.Contains(gone, "Max-Age=0") {
				t.Errorf("logout sets %s", gone)
			}
			s.call("POST", "/api/v1/refresh", "", jar(newest)).want(t, "refresh after logout", 401, "unauthorized")
		})
	}
}

func TestPlatform(t *testing.T) {
	tests := map[string]string{
		firefox:       "Firefox on Linux",
		"curl/8.11.0": "curl",
		"":            "",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                            "Chrome on Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":              "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15":                      "Safari on macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.0.0 Mobile/15E148 Safari/604.1": "Chrome on iOS",
		"Mozilla/5.0 (Linux; Android 15; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36": "Samsung Internet on Android",
		"Go-http-client/1.1":         "Go-http-client",
		"<script>alert(1)</script>":  "<script>alert(1)<", // text, and shown as text only
		"a\x01b\u202ec\xff":          "abc",
		strings.Repeat("long", 1000): strings.Repeat("long", 8),
	}
	for agent, want := range tests {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("User-Agent", agent)
		if got := platformOf(r); got != want {
			t.Errorf("platformOf(%q) = %q, want %q", agent, got, want)
		}
	}
}

// TestLogTellsWhoAndNeverASecret: canaries in every place a secret can stand
// are looked for in the log (SEC-44).
func TestLogTellsWhoAndNeverASecret(t *testing.T) {
	s := newSite(t)
	const canary = "canary-7f3a91"
	secret := canary + " password"
	s.call("POST", "/api/v1/register", object("deviceName", "phone", "email", "a@example.com", "password", secret))
	login := s.call("POST", "/api/v1/login", object("deviceName", "phone", "password", secret))
	access, refresh := login.text(t, "accessToken"), login.text(t, "refreshToken")
	me := s.call("GET", "/api/v1/devices/me?token="+canary, "", token(access))
	s.call("POST", "/api/v1/users", object("username", "TestUser6"), token(access))
	members := s.call("GET", "/api/v1/users/TestUser6/devices", "", token(access))
	s.call("POST", "/api/v1/login", object("deviceName", "phone", "password", canary))
	s.call("POST", "/api/v1/login", `{"password":"`+canary+`"`)
	s.call("POST", "/api/v1/login", `{"`+canary+`":1}`)
	s.call("POST", "/api/v1/refresh", object("refreshToken", refresh))
	s.call("POST", "/api/v1/refresh", "", header("Cookie", "refresh="+canary))
	s.call("GET", "/api/v1/users?"+canary, "", token(canary))
	s.call("GET", "/api/"+canary, "")

	log := s.log.String()
	for what, secret := range map[string]string{"a canary": canary, "an access token": access, "a refresh token": refresh, "a hash": "$argon2"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %s", what)
		}
	}
	for _, record := range s.log.records(t, "request") {
		if record["request"] != members.header.Get("X-Request-Id") {
			continue
		}
		for name, want := range map[string]any{
			"method": "GET", "route": "/api/v1/users/{username}/devices", "user": "TestUser6", "status": 200.0,
			"device": me.text(t, "id"), "address": "127.0.0.1", "code": "",
		} {
			if record[name] != want {
				t.Errorf("the log says %s %v, want %v", name, record[name], want)
			}
		}
		if took, _ := record["took"].(float64); took <= 0 {
			t.Errorf("the request took %v", record["took"])
		}
		return
	}
	t.Error("the request is not in the log")
}
