package api

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// secureKey holds whether a request came over TLS, be it to a proxy.
type secureKey struct{}

// forwarded takes the client's address and scheme from a trusted proxy's
// headers: the address that the nearest hop which is not itself such a proxy
// connected from. What anybody else says in them is not looked at (SEC-11).
func (s *Server) forwarded(next http.Handler) http.Handler {
	if len(s.Proxies) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && s.trusts(peer.Addr()) {
			r = r.WithContext(context.WithValue(r.Context(), secureKey{}, lastOf(r, "X-Forwarded-Proto") == "https"))
			r.RemoteAddr = net.JoinHostPort(s.clientOf(r, peer.Addr()).String(), "0")
		}
		next.ServeHTTP(w, r)
	})
}

// clientOf walks the hops back from the proxy that connected. It stops at the
// first that is not trusted, or cannot be read.
func (s *Server) clientOf(r *http.Request, peer netip.Addr) netip.Addr {
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusts(peer); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		peer = hop
	}
	return peer
}

// trusts reports whether an address is a trusted proxy's.
func (s *Server) trusts(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	for _, network := range s.Proxies {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// lastOf returns the last value of a header that proxies append to.
func lastOf(r *http.Request, name string) string {
	all := strings.Join(r.Header.Values(name), ",")
	return strings.ToLower(strings.TrimSpace(all[strings.LastIndex(all, ",")+1:]))
}

// secure reports whether the client speaks TLS, to this server or to a trusted
// proxy before it.
func secure(r *http.Request) bool {
	behind, _ := r.Context().Value(secureKey{}).(bool)
	return behind || r.TLS != nil
}
