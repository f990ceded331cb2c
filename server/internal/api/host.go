package api

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"social-server/internal/errs"
	"social-server/internal/origin"
)

// Hosts are the host names under which a server may be addressed. A page whose
// own name resolves to a loopback or private address (DNS rebinding) reaches
// the server as its own origin, but under that name.
type Hosts struct {
	Names []string // in the spelling of origin.Host; besides localhost, *.localhost and every IP address
	All   bool     // holds for every connection; otherwise for those that arrive at a loopback address
}

// GuardHost refuses requests under other names with 421 (RFC 9110, 15.5.20).
func GuardHost(hosts Hosts, next http.Handler) http.Handler {
	return guardHost(hosts, func(w http.ResponseWriter, _ *http.Request, err error) {
		_ = writeProblem(w, err) // a problem without members can be encoded
	}, next)
}

func guardHost(hosts Hosts, refuse func(http.ResponseWriter, *http.Request, error), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hosts.check(r) && !hosts.has(r.Host) {
			refuse(w, r, errs.New(errs.Misdirected, "This server is not known under this host name. ALLOWED_HOSTS names further ones; behind a proxy, TRUSTED_PROXIES names the proxy."))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// check reports whether the name of a request counts. It does not over TLS,
// where the browser compares it with the certificate, nor from a trusted proxy,
// which chooses the server by it.
func (h Hosts) check(r *http.Request) bool {
	return !proxied(r) && r.TLS == nil && (h.All || arrivedAtLoopback(r))
}

// has reports whether a Host header names this server. Nobody can have an IP
// address resolve to another one, and browsers always send a name.
func (h Hosts) has(header string) bool {
	host, _, err := origin.Split(header)
	if err != nil {
		return header == "" // HTTP/1.0
	}
	name := strings.TrimSuffix(host, ".")
	_, notAddress := netip.ParseAddr(strings.Trim(name, "[]"))
	return notAddress == nil || name == "localhost" || strings.HasSuffix(name, ".localhost") || slices.Contains(h.Names, name)
}

// arrivedAtLoopback reports whether a connection was made to a loopback address.
func arrivedAtLoopback(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	at, err := netip.ParseAddrPort(local.String())
	return err == nil && at.Addr().Unmap().IsLoopback()
}
