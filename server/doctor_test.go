package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"social-server/deploy"
	"social-server/internal/backing"
	"social-server/internal/config"
	"social-server/internal/doctor"
	"social-server/internal/errs"
)

// patient is a running server and what its doctor is given.
type patient struct {
	*running
	env []string
}

func newPatient(t *testing.T, env ...string) *patient {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	r := runServer(t, data, env...)
	t.Cleanup(func() { r.end(t) })
	return &patient{r, append(env, "DATA_DIR="+data, "LISTEN_ADDR="+strings.TrimPrefix(r.url, "http://"))}
}

// port is where the server listens.
func (p *patient) port() string { return p.url[strings.LastIndex(p.url, ":"):] }

// examine runs the command.
func (p *patient) examine(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out output
	err := run(t.Context(), func() {}, append([]string{"doctor"}, args...), p.env, &out)
	p.checkDeparted(t)
	return out.String(), err
}

// checkDeparted fails if the doctor left its account.
func (p *patient) checkDeparted(t *testing.T) {
	t.Helper()
	cfg, err := config.Load(".env", p.env)
	if err != nil {
		t.Fatal(err)
	}
	db, err := openBeside(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.AccountByEmail(t.Context(), doctorsEmail); !errs.Is(err, errs.NotFound) {
		t.Errorf("the doctor's account: %v", err)
	}
}

// findings are the levels by name of the check.
func findings(text string) map[string]string {
	all := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(\S+)\s+(\S+(?: \S+)*?)\s{2,}`).FindAllStringSubmatch(text, -1) {
		all[m[2]] = m[1]
	}
	return all
}

// checkFindings fails unless just these checks failed.
func checkFindings(t *testing.T, text string, err error, wrong ...string) {
	t.Helper()
	if (err != nil) != (len(wrong) > 0) {
		t.Errorf("the doctor returned %v", err)
	}
	for name, level := range findings(text) {
		want := false
		for _, one := range wrong {
			want = want || one == name
		}
		if (level == "FAIL") != want {
			t.Errorf("%s: %s, want failures of %v\n%s", name, level, wrong, text)
		}
	}
	if n := len(findings(text)); n != 18 {
		t.Errorf("%d checks, want 18:\n%s", n, text)
	}
}

// A server that nothing is wrong with is said to be well, by a doctor who says
// no secret and leaves nothing behind.
func TestDoctorOfAHealthyServer(t *testing.T) {
	p := newPatient(t, "REGISTRATION=closed")
	for range 2 {
		text, err := p.examine(t)
		checkFindings(t, text, err)
		for _, want := range []string{"SQLite 3.", "registration closed", "acknowledged in", "synchronous=2"} {
			if !strings.Contains(text, want) {
				t.Errorf("it does not say %q:\n%s", want, text)
			}
		}
		if strings.Contains(text, "eyJ") {
			t.Error("a token is printed")
		}
	}
}

// interrupting ends a context, or fails, once the doctor has logged in.
type interrupting struct {
	output
	interrupt func() error
}

func (w *interrupting) Write(p []byte) (int, error) {
	if strings.Contains(string(p), " log-in ") {
		if err := w.interrupt(); err != nil {
			return 0, err
		}
	}
	return w.output.Write(p)
}

// The doctor's account goes also when nobody waits for the rest.
func TestDoctorInterrupted(t *testing.T) {
	p := newPatient(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, interrupt := range []func() error{
		func() error { return errors.New("nobody reads on") },
		func() error { cancel(); return nil }, // Ctrl-C
	} {
		out := &interrupting{interrupt: interrupt}
		if err := run(ctx, func() {}, []string{"doctor"}, p.env, out); err == nil {
			t.Errorf("all is well, it says:\n%s", &out.output)
		}
		p.checkDeparted(t)
	}
}

// What the server stands on is looked at too, and a Redis that is gone is found.
func TestDoctorOnPostgres(t *testing.T) {
	_, cache, env := services(t)
	p := newPatient(t, env...)
	text, err := p.examine(t)
	checkFindings(t, text, err)
	if !strings.Contains(text, "PostgreSQL 1") || !strings.Contains(text, "synchronous_commit=on") || !strings.Contains(text, "relays in") {
		t.Error(text)
	}
	if err := cache.Kill(); err != nil {
		t.Fatal(err)
	}
	text, err = p.examine(t)
	checkFindings(t, text, err, "Redis")
	if strings.Contains(text, "several nodes, one key") {
		t.Error("the signing key is printed")
	}
}

// Without a server, or without a database, the doctor says so and stops asking.
func TestDoctorWithoutAServer(t *testing.T) {
	t.Chdir(t.TempDir())
	var out output
	env := []string{"DATA_DIR=" + filepath.Join(t.TempDir(), "none"), "LISTEN_ADDR=127.0.0.1:1"}
	err := run(t.Context(), func() {}, []string{"doctor"}, env, &out)
	text := out.String()
	checkFindings(t, text, err, "configuration", "data folder", "database", "address")
	if got := findings(text)["WebSocket"]; got != "-" {
		t.Errorf("WebSocket: %s", got)
	}
	for _, bad := range []string{"localhost", "ftp://example.org", "https://me:hunter2@example.org", "https://example.org?x"} {
		err := run(t.Context(), func() {}, []string{"doctor", bad}, env, &out)
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// proxy is a reverse proxy with TLS that does all that is needed, until a test
// takes something away.
func (p *patient) proxy(t *testing.T, change func(*httputil.ReverseProxy)) (at string, trust *tls.Config) {
	t.Helper()
	target := &url.URL{Scheme: "http", Host: "127.0.0.1" + p.port()}
	proxy := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
		r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
		r.SetXForwarded()
	}}
	change(proxy)
	server := httptest.NewTLSServer(proxy)
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return server.URL, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// also adds to what a proxy does to requests.
func also(proxy *httputil.ReverseProxy, more func(*httputil.ProxyRequest)) {
	rewrite := proxy.Rewrite
	proxy.Rewrite = func(r *httputil.ProxyRequest) { rewrite(r); more(r) }
}

// brokenProxies do all but one thing; each is found by its check, with the line
// for nginx that would help.
var brokenProxies = map[string]struct {
	change func(*httputil.ReverseProxy)
	wrong  []string
	line   string
}{
	"none": {func(*httputil.ReverseProxy) {}, nil, ""},
	"no upgrade": {func(p *httputil.ReverseProxy) {
		also(p, func(r *httputil.ProxyRequest) { r.Out.Header.Del("Upgrade"); r.Out.Header.Del("Connection") })
	}, []string{"WebSocket"}, "proxy_set_header Upgrade $http_upgrade;"},
	"events held back": {func(p *httputil.ReverseProxy) {
		p.Transport = holding{http.DefaultTransport}
	}, []string{"events"}, "proxy_buffering off;"},
	"impatient": {func(p *httputil.ReverseProxy) {
		p.Transport = impatient{http.DefaultTransport}
	}, []string{"long-poll"}, "proxy_read_timeout 75s;"},
	"no scheme": {func(p *httputil.ReverseProxy) {
		also(p, func(r *httputil.ProxyRequest) { r.Out.Header.Del("X-Forwarded-Proto") })
	}, []string{"TLS", "origin"}, "proxy_set_header X-Forwarded-Proto $scheme;"},
	"no address": {func(p *httputil.ReverseProxy) {
		also(p, func(r *httputil.ProxyRequest) { r.Out.Header.Del("X-Forwarded-For") })
	}, []string{"proxy headers"}, "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"},
	"any address": {func(p *httputil.ReverseProxy) {
		also(p, func(r *httputil.ProxyRequest) { r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"] })
	}, []string{"proxy headers"}, "proxy_set_header X-Forwarded-For"},
	"its own host": {func(p *httputil.ReverseProxy) {
		also(p, func(r *httputil.ProxyRequest) { r.Out.Host = "backend" })
	}, []string{"origin"}, "proxy_set_header Host $http_host;"},
	"no origin": {func(p *httputil.ReverseProxy) {
		also(p, func(r *httputil.ProxyRequest) { r.Out.Header.Del("Origin") })
	}, []string{"origin"}, ""},
	// Fault C1: gzip makes an ETag weak. The server takes it back; the doctor says so.
	"weak ETags": {retag(func(tag string) string { return "W/" + tag }), nil, "gzip off;"},
	"ETags of its own": {retag(func(tag string) string { return strings.TrimSuffix(tag, `"`) + `-proxy"` }),
		[]string{"ETag"}, "gzip off;"},
	"no ETags": {retag(func(string) string { return "" }), []string{"ETag"}, "# no encode: the server compresses its pages itself"},
	// Fault C3: Traefik announces the upgrade of a page by https as wss.
	"Traefik": {traefik, nil, ""},
	// Fault C11: a path in front of the server.
	"a path in front": {func(p *httputil.ReverseProxy) {
		also(p, func(r *httputil.ProxyRequest) { r.Out.URL.Path = strings.TrimPrefix(r.Out.URL.Path, "/sync") })
	}, []string{"pages"}, "rule: Host(`sync.example.org`)"},
	"a portal":     {func(p *httputil.ReverseProxy) { p.Transport = portal{} }, []string{"address"}, "leads to http://portal.invalid/"},
	"another page": {func(p *httputil.ReverseProxy) { p.Transport = welcome{} }, []string{"address"}, "200 OK (text/html), not by this server"},
}

// retag changes the ETags of settings.
func retag(change func(string) string) func(*httputil.ReverseProxy) {
	return func(p *httputil.ReverseProxy) {
		p.ModifyResponse = func(answer *http.Response) error {
			if tag := answer.Header.Get("ETag"); tag != "" && strings.HasPrefix(answer.Request.URL.Path, "/api/") {
				answer.Header.Set("ETag", change(tag))
			}
			return nil
		}
	}
}

// traefik sets the headers that Traefik does.
func traefik(p *httputil.ReverseProxy) {
	also(p, func(r *httputil.ProxyRequest) {
		proto, header := "https", r.Out.Header
		if header.Get("Upgrade") != "" {
			proto = "wss"
		}
		header.Set("X-Forwarded-Proto", proto)
		header.Set("X-Forwarded-For", r.In.RemoteAddr) // with the port, as some proxies write it
		header.Set("X-Forwarded-Port", "443")
		header.Set("X-Forwarded-Server", "traefik")
		header.Set("X-Real-Ip", "127.0.0.77")
	})
}

// portal redirects every request, as networks do that want a log-in first.
type portal struct{}

func (portal) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusFound, Status: "302 Found", Header: http.Header{"Location": {"http://portal.invalid/"}},
		Body: http.NoBody, Request: r}, nil
}

// welcome answers every request with a page.
type welcome struct{}

func (welcome) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Header: http.Header{"Content-Type": {"text/html"}},
		Body: io.NopCloser(strings.NewReader("<h1>Welcome</h1>")), Request: r}, nil
}

// holding keeps the body of an answer back until it has ended, as buffers do.
type holding struct{ http.RoundTripper }

func (h holding) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := h.RoundTripper.RoundTrip(r)
	if err == nil && strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream") {
		answer.Body = held{answer.Body, r}
	}
	return answer, err
}

type held struct {
	body interface{ Close() error }
	r    *http.Request
}

func (h held) Read([]byte) (int, error) { <-h.r.Context().Done(); return 0, h.r.Context().Err() }
func (h held) Close() error             { return h.body.Close() }

// impatient gives up on an answer that is long in coming.
type impatient struct{ http.RoundTripper }

func (i impatient) RoundTrip(r *http.Request) (*http.Response, error) {
	if !r.URL.Query().Has("wait") { // whatever else is slow: so is the machine
		return i.RoundTripper.RoundTrip(r)
	}
	ctx, cancel := context.WithTimeout(r.Context(), 100*time.Millisecond)
	defer cancel()
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestDoctorBeforeProxies(t *testing.T) {
	p := newPatient(t, "TRUSTED_PROXIES=127.0.0.1")
	cfg, err := config.Load(".env", p.env)
	if err != nil {
		t.Fatal(err)
	}
	own, err := doctor.NewAddress(p.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	for name, tt := range brokenProxies {
		t.Run(name, func(t *testing.T) {
			at, trust := p.proxy(t, tt.change)
			if name == "a path in front" {
				at += "/sync/"
			}
			public, err := doctor.NewAddress(at, trust)
			if err != nil {
				t.Fatal(err)
			}
			defer public.Close()
			var out output
			err = examine(t.Context(), cfg, own, public, &out)
			checkFindings(t, out.String(), err, tt.wrong...)
			if !strings.Contains(out.String(), tt.line) {
				t.Errorf("no line %q in\n%s", tt.line, &out)
			}
		})
	}
	p.checkDeparted(t)
}

// nginx starts a real one before the server.
func (p *patient) nginx(t *testing.T, configuration func(home string, port int) (string, error)) string {
	t.Helper()
	n, err := backing.StartNginx(t.Context(), t.TempDir(), 0, configuration)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	})
	return "http://" + n.Addr()
}

// nginx as it is deployed needs nothing more; with nothing but proxy_pass, the
// doctor names what is missing.
func TestDoctorBeforeNginx(t *testing.T) {
	p := newPatient(t, "TRUSTED_PROXIES=127.0.0.1")
	deployed := p.nginx(t, func(home string, port int) (string, error) {
		return deploy.Balancer{
			Listen: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Nodes: []string{"127.0.0.1" + p.port()}, Folder: home,
		}.Nginx()
	})
	text, err := p.examine(t, deployed)
	checkFindings(t, text, err)

	bare := p.nginx(t, p.bare("proxy_ignore_headers X-Accel-Buffering;"))
	text, err = p.examine(t, bare)
	checkFindings(t, text, err, "origin", "proxy headers", "WebSocket", "events")
	for _, line := range []string{"proxy_http_version 1.1;", "proxy_buffering off;", "proxy_set_header Host $http_host;", "reverse_proxy"} {
		if !strings.Contains(text, line) {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}

	var lines []string
	for _, line := range doctor.NginxLines() { // what it says helps
		lines = append(lines, strings.ReplaceAll(line, "$connection_upgrade", "upgrade"))
	}
	text, err = p.examine(t, p.nginx(t, p.bare(strings.Join(lines, "\n"))))
	checkFindings(t, text, err)
}

// bare is an nginx that passes everything on, and some lines of its location.
func (p *patient) bare(lines string) func(home string, port int) (string, error) {
	return func(home string, port int) (string, error) {
		return fmt.Sprintf(bareNginx, home, port, "location / {\nproxy_pass http://127.0.0.1"+p.port()+";\n"+lines+"\n}"), nil
	}
}

// bareNginx takes a folder, a port and what its server holds.
const bareNginx = `daemon off;
pid %[1]s/pid;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
	server {
		listen 127.0.0.1:%[2]d;
		%[3]s
	}
}
`
