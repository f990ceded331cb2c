package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"
)

const (
	loginScript = "self.__next_f.push([1,\"login\"])"
	chunk       = "_next/static/chunks/0abc.js"
)

var longScript = strings.Repeat("export const n = 12345;\n", 200)

// export returns a small site of the shape that the client's build has.
func export() fstest.MapFS {
	site := fstest.MapFS{}
	for name, text := range map[string]string{
		".gitkeep":                   "",
		".env":                       "JWT_SECRET=hunter2",
		"_next/.cache/x":             "hidden",
		"index.html":                 "<!doctype html><title>home</title>",
		"login.html":                 "<!doctype html><script src=\"/a.js\"></script><script>" + loginScript + "</script>",
		"login.txt":                  "1:login",
		"login/__next._tree.txt":     "0:tree",
		"404.html":                   "<!doctype html><title>no such page</title>",
		"icon.svg":                   "<svg/>",
		"font.woff2":                 strings.Repeat("w", 4000),
		"data.bin":                   strings.Repeat("b", 4000),
		chunk:                        longScript,
		chunk + ".map":               "{}",
		"_next/static/media/a.woff2": "w",
	} {
		site[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return site
}

func open(t *testing.T, fsys fs.FS) *Site {
	t.Helper()
	site, err := Open(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return site
}

// ask sends one request to the site; headers come as name, value, …
func ask(site http.Handler, method, target string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, "/", nil)
	r.URL.Path, r.URL.RawQuery, _ = strings.Cut(target, "?")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	site.ServeHTTP(w, r)
	return w.Result()
}

func bodyOf(t *testing.T, res *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestPaths(t *testing.T) {
	site := open(t, export())
	const page, text = "text/html; charset=utf-8", "text/plain; charset=utf-8"
	tests := map[string]struct {
		status      int
		contentType string
		holds       string
	}{
		"/":                       {200, page, "home"},
		"/index.html":             {200, page, "home"},
		"/login":                  {200, page, loginScript},
		"/login.html":             {200, page, loginScript},
		"/login.txt":              {200, text, "1:login"},
		"/login/__next._tree.txt": {200, text, "0:tree"},
		"/icon.svg":               {200, "image/svg+xml", "<svg/>"},
		"/font.woff2":             {200, "font/woff2", "www"},
		"/data.bin":               {200, "application/octet-stream", "bbb"},
		"/" + chunk:               {200, "text/javascript; charset=utf-8", "12345"},
		"/nothing":                {404, page, "no such page"},
		"/nothing/":               {404, page, "no such page"},
		"/LOGIN":                  {404, page, "no such page"},
		"/login/nothing":          {404, page, "no such page"},
		"/_next":                  {404, page, "no such page"},
		"/_next/":                 {404, page, "no such page"},
		"/_next/static/":          {404, page, "no such page"},
		"/.gitkeep":               {404, page, "no such page"},
		"/.env":                   {404, page, "no such page"},
		"/_next/.cache/x":         {404, page, "no such page"},
		"/" + chunk + ".map":      {404, page, "no such page"},
		"/../web.go":              {404, page, "no such page"},
		"/../../../../etc/passwd": {404, page, "no such page"},
		"/login/../web.go":        {404, page, "no such page"},
		"/login/../login.txt":     {404, page, "no such page"},
		"/..\\web.go":             {404, page, "no such page"},
		"/login\x00.html":         {404, page, "no such page"},
		"//login":                 {404, page, "no such page"},
		"//login/":                {404, page, "no such page"},
		"//evil.example/":         {404, page, "no such page"},
		"/login//":                {404, page, "no such page"},
	}
	for target, want := range tests {
		t.Run(target, func(t *testing.T) {
			res := ask(site, http.MethodGet, target)
			body := bodyOf(t, res)
			if res.StatusCode != want.status || res.Header.Get("Content-Type") != want.contentType {
				t.Errorf("%d %q, want %d %q", res.StatusCode, res.Header.Get("Content-Type"), want.status, want.contentType)
			}
			if !strings.Contains(body, want.holds) {
				t.Errorf("body %q lacks %q", body, want.holds)
			}
			if got := res.Header.Get("Location"); got != "" {
				t.Errorf("sent to %q", got)
			}
		})
	}
}

func TestPageWithSlashIsThePage(t *testing.T) {
	site := open(t, export())
	for target, want := range map[string]string{
		"/login/":          "/login",
		"/login/?next=%2F": "/login?next=%2F",
	} {
		res := ask(site, http.MethodGet, target)
		if res.StatusCode != http.StatusPermanentRedirect || res.Header.Get("Location") != want {
			t.Errorf("%s: %d to %q, want 308 to %q", target, res.StatusCode, res.Header.Get("Location"), want)
		}
	}
}

func TestEveryAnswerIsHardened(t *testing.T) {
	site := open(t, export())
	for _, req := range []struct{ method, target string }{
		{"GET", "/"}, {"HEAD", "/"}, {"GET", "/login"}, {"GET", "/login/"}, {"GET", "/nothing"},
		{"POST", "/"}, {"GET", "/icon.svg"}, {"GET", "/" + chunk},
	} {
		res := ask(site, req.method, req.target)
		for name, want := range map[string]string{
			"X-Content-Type-Options":       "nosniff",
			"Referrer-Policy":              "no-referrer",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s %s: %s is %q, want %q", req.method, req.target, name, got, want)
			}
		}
		policy := res.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s %s: policy %q lacks %q", req.method, req.target, policy, part)
			}
		}
		if res.Header.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s %s: HSTS without TLS", req.method, req.target)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.TLS = &tls.ConnectionState{}
	w := httptest.NewRecorder()
	site.ServeHTTP(w, r)
	if got := w.Header().Get("Strict-Transport-Security"); got != "max-age=31536000" {
		t.Errorf("HSTS with TLS is %q", got)
	}
}

func TestCaching(t *testing.T) {
	site := open(t, export())
	for target, want := range map[string]string{
		"/": pageCache, "/login": pageCache, "/login.txt": pageCache, "/nothing": pageCache,
		"/" + chunk: assetCache, "/_next/static/media/a.woff2": assetCache,
	} {
		if got := ask(site, http.MethodGet, target).Header.Get("Cache-Control"); got != want {
			t.Errorf("%s: Cache-Control %q, want %q", target, got, want)
		}
	}
}

func TestNotModified(t *testing.T) {
	site := open(t, export())
	etag := ask(site, http.MethodGet, "/login").Header.Get("ETag")
	other := ask(site, http.MethodGet, "/").Header.Get("ETag")
	if etag == "" || etag == other {
		t.Fatalf("tags %q and %q", etag, other)
	}
	for header, want := range map[string]int{
		etag: 304, "W/" + etag: 304, "*": 304, `"x", ` + etag: 304,
		other: 200, `"x"`: 200, "": 200, strings.Trim(etag, `"`): 200,
	} {
		res := ask(site, http.MethodGet, "/login", "If-None-Match", header)
		body := bodyOf(t, res)
		if res.StatusCode != want || (want == 304) != (body == "") {
			t.Errorf("If-None-Match %q: %d with %d bytes, want %d", header, res.StatusCode, len(body), want)
		}
		if res.Header.Get("ETag") != etag || res.Header.Get("Cache-Control") != pageCache {
			t.Errorf("If-None-Match %q: lost its validators", header)
		}
	}
	res := ask(site, http.MethodGet, "/nothing", "If-None-Match", "*")
	if res.StatusCode != http.StatusNotFound || res.Header.Get("ETag") != "" {
		t.Errorf("a missing page: %d with tag %q, want 404 without", res.StatusCode, res.Header.Get("ETag"))
	}
}

func TestCompression(t *testing.T) {
	site := open(t, export())
	plain := ask(site, http.MethodGet, "/"+chunk)
	if bodyOf(t, plain) != longScript || plain.Header.Get("Content-Encoding") != "" {
		t.Error("compressed for a browser that does not ask for it")
	}
	packed := ask(site, http.MethodGet, "/"+chunk, "Accept-Encoding", "br, gzip")
	body := bodyOf(t, packed)
	r, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil || string(text) != longScript {
		t.Errorf("unpacked %d bytes, %v", len(text), err)
	}
	if len(body) >= len(longScript)/2 || packed.ContentLength != int64(len(body)) {
		t.Errorf("%d bytes, said to be %d, of %d", len(body), packed.ContentLength, len(longScript))
	}
	if packed.Header.Get("ETag") == plain.Header.Get("ETag") {
		t.Error("two forms with one tag")
	}
	for _, res := range []*http.Response{plain, packed} {
		if res.Header.Get("Vary") != "Accept-Encoding" {
			t.Error("no Vary: a cache would mix the two forms")
		}
	}
	if again := ask(site, http.MethodGet, "/"+chunk, "Accept-Encoding", "gzip", "If-None-Match", packed.Header.Get("ETag")); again.StatusCode != 304 {
		t.Errorf("the compressed form's tag: %d, want 304", again.StatusCode)
	}
	for _, target := range []string{"/font.woff2", "/icon.svg", "/data.bin"} { // packed already, too small, unknown
		if res := ask(site, http.MethodGet, target, "Accept-Encoding", "gzip"); res.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s is compressed", target)
		}
	}
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "identity": false, "br": false, "gzip": true, "GZIP": true, "deflate, gzip;q=0.5": true,
		"gzip;q=0": false, "gzip; q=0.0": false, "*": true, "*;q=0": false, "*;q=0, gzip": true, "gzip;q=0, *": false,
		"gzip;q=often": false, "x-gzip-like": false,
	} {
		if got := acceptsGzip([]string{header}); got != want {
			t.Errorf("acceptsGzip(%q) = %v, want %v", header, got, want)
		}
	}
}

func TestHead(t *testing.T) {
	site := open(t, export())
	for _, target := range []string{"/", "/login", "/nothing", "/" + chunk} {
		get, head := ask(site, http.MethodGet, target), ask(site, http.MethodHead, target)
		if bodyOf(t, head) != "" {
			t.Errorf("HEAD %s has a body", target)
		}
		if get.StatusCode != head.StatusCode || get.ContentLength != head.ContentLength || get.Header.Get("ETag") != head.Header.Get("ETag") {
			t.Errorf("HEAD %s differs from GET", target)
		}
	}
}

func TestOtherMethods(t *testing.T) {
	site := open(t, export())
	refused := map[string][]string{
		"/login":     {"PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"},
		"/icon.svg":  {"POST", "PUT"},
		"/login.txt": {"POST"},
		"/nothing":   {"POST"},
	}
	for target, methods := range refused {
		for _, method := range methods {
			res := ask(site, method, target)
			if res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %d, Allow %q", method, target, res.StatusCode, res.Header.Get("Allow"))
			}
		}
	}
}

// Fault B1: a form submitted by the browser itself is answered with its page,
// and its fields are not read.
func TestSubmittedForm(t *testing.T) {
	site := open(t, export())
	for target, want := range map[string]string{
		"/":                          "/?unsent=1",
		"/login":                     "/login?unsent=1",
		"/login?next=%2Fapp":         "/login?next=%2Fapp&unsent=1",
		"/login?unsent=1&next=%2F":   "/login?next=%2F&unsent=1",
		"/login?next=//evil.example": "/login?next=%2F%2Fevil.example&unsent=1",
	} {
		r := httptest.NewRequest(http.MethodPost, target, iotest.ErrReader(errors.New("the fields were read")))
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != want {
			t.Errorf("POST %s: %d to %q, want 303 to %q", target, w.Code, got, want)
		}
	}
	if res := ask(site, http.MethodPost, "//evil.example/login"); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a path with a host in it: %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
}

func TestNotBuilt(t *testing.T) {
	site := open(t, fstest.MapFS{".gitkeep": {}})
	if site.Built() {
		t.Error("an empty folder is called a client")
	}
	for _, target := range []string{"/", "/login"} {
		res := ask(site, http.MethodGet, target)
		body := bodyOf(t, res)
		if res.StatusCode != http.StatusServiceUnavailable || body != notBuilt || strings.Count(body, "\n") != 1 {
			t.Errorf("%s: %d %q", target, res.StatusCode, body)
		}
	}
}

// A client without a 404 page of its own is still told in words.
func TestNoPageForMissingPages(t *testing.T) {
	fsys := export()
	delete(fsys, "404.html")
	res := ask(open(t, fsys), http.MethodGet, "/nothing")
	if body := bodyOf(t, res); res.StatusCode != http.StatusNotFound || body == "" {
		t.Errorf("%d %q", res.StatusCode, body)
	}
}

func TestUnreadableClient(t *testing.T) {
	if _, err := Open(broken{}); err == nil {
		t.Error("a client that cannot be read was opened")
	}
}

type broken struct{}

func (broken) Open(string) (fs.File, error) { return nil, fs.ErrPermission }

// TestEmbedded looks at the client in this very build: where there is one, every
// page must run under its own policy.
func TestEmbedded(t *testing.T) {
	site := open(t, Embedded())
	for name, f := range site.files {
		if !strings.HasSuffix(name, ".html") {
			continue
		}
		for _, found := range regexp.MustCompile(`(?is)<script(\s[^>]*)?>(.*?)</script>`).FindAllSubmatch(f.plain.body, -1) {
			if bytes.Contains(found[1], []byte("src=")) {
				continue
			}
			sum := sha256.Sum256(found[2])
			if !strings.Contains(f.policy, base64.StdEncoding.EncodeToString(sum[:])) {
				t.Errorf("%s: the script %.60q… would not run", name, found[2])
			}
		}
		if handler := regexp.MustCompile(`<[a-z]+\s[^>]*\son[a-z]+=`).Find(inlineScript.ReplaceAll(f.plain.body, nil)); handler != nil {
			t.Errorf("%s: %q would not run", name, handler)
		}
		if strings.Contains(f.policy, "script-src 'self' 'unsafe") {
			t.Errorf("%s: policy %q lets any script run", name, f.policy)
		}
	}
}
