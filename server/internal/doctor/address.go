package doctor

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

// answerWithin bounds a request that has nothing to wait for.
const answerWithin = 10 * time.Second

// loopback is where connections to this machine come from, so that they can be
// told from a proxy's, which is on 127.0.0.1.
var loopback = netip.MustParseAddr("127.0.0.77")

// Address is a way to the server.
type Address struct {
	URL    string // scheme://host[:port], and the path before the server's own, if a proxy adds one
	origin string // URL without the path
	client *http.Client
	tls    *tls.Config

	mu    sync.Mutex // guards the following field
	local netip.Addr // where our newest connection comes from
}

// NewAddress returns the way to a URL, or says what is wrong with it. The TLS
// configuration may be nil. The caller must Close it.
func NewAddress(text string, config *tls.Config) (*Address, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("this is no address like https://sync.example.org")
	}
	origin := strings.ToLower(u.Scheme + "://" + u.Host)
	a := &Address{URL: origin + strings.TrimRight(u.EscapedPath(), "/"), origin: origin, tls: config}
	a.client = &http.Client{
		Transport:     &http.Transport{DialContext: a.dial, TLSClientConfig: config},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return a, nil
}

// Close closes the connections that wait for another request.
func (a *Address) Close() { a.client.CloseIdleConnections() }

// prefix returns the path of the URL; empty is the root.
func (a *Address) prefix() string { return strings.TrimPrefix(a.URL, a.origin) }

// secure reports whether the way is encrypted.
func (a *Address) secure() bool { return strings.HasPrefix(a.URL, "https:") }

// socket returns the address of a path for WebSocket.
func (a *Address) socket(path string) string { return "ws" + strings.TrimPrefix(a.URL, "http") + path }

// dial connects. It resolves every name but localhost: the server's own address
// needs no hosts file.
func (a *Address) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	targets := []string{addr}
	if port, ok := strings.CutPrefix(addr, "localhost:"); ok {
		targets = []string{net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("::1", port)}
	}
	var first error
	for _, target := range targets {
		conn, err := dialFromLoopback(ctx, network, target)
		if err == nil {
			return a.dialled(conn), nil
		}
		first = cmp.Or(first, err)
	}
	return nil, first
}

// dialFromLoopback connects, from loopback if that leads there.
func dialFromLoopback(ctx context.Context, network, addr string) (net.Conn, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: loopback.AsSlice()}}
	if conn, err := dialer.DialContext(ctx, network, addr); err == nil {
		return conn, nil
	}
	// Another machine, IPv6, or a system with one loopback address.
	return (&net.Dialer{}).DialContext(ctx, network, addr)
}

// dialled records where a connection comes from.
func (a *Address) dialled(conn net.Conn) net.Conn {
	if local, err := netip.ParseAddrPort(conn.LocalAddr().String()); err == nil {
		a.mu.Lock()
		a.local = local.Addr().Unmap()
		a.mu.Unlock()
	}
	return conn
}

// from returns where our newest connection comes from.
func (a *Address) from() netip.Addr {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.local
}

// call is one request.
type call struct {
	method, path string
	token        string            // may be empty
	header       map[string]string // more of it
	body         any               // sent as JSON, if it is not nil
}

// do makes a request; the caller closes the answer's body.
func (a *Address) do(ctx context.Context, c call) (*http.Response, error) {
	var body io.Reader
	if c.body != nil {
		text, err := json.Marshal(c.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, c.method, a.URL+c.path, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "social-server-doctor")
	if c.body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	for name, value := range c.header {
		r.Header.Set(name, value)
	}
	return a.client.Do(r)
}

// errForeign reports an answer of something else than this server, which answers
// requests of its API with JSON.
var errForeign = errors.New("not by this server")

// ask makes a request that must be answered with 200, and reads the answer. It
// returns the answer's head.
func (a *Address) ask(ctx context.Context, c call, into any) (http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	answer, err := a.do(ctx, c)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if kind := answer.Header.Get("Content-Type"); !strings.Contains(kind, "json") {
		return nil, fmt.Errorf("%s %s is answered with %s (%s), %w", c.method, c.path, status(answer), cmp.Or(kind, "no content"), errForeign)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s is answered with %s", c.method, c.path, status(answer))
	}
	return answer.Header, json.UnmarshalRead(io.LimitReader(answer.Body, 1<<20), into)
}

// status returns an answer's status, and the target of a redirect.
func status(answer *http.Response) string {
	if to := answer.Header.Get("Location"); to != "" {
		return answer.Status + ", which leads to " + to
	}
	return answer.Status
}
