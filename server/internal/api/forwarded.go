package api

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// secureKey holds, of a request from a trusted proxy, whether it came to the proxy over TLS.
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
			r = r.WithContext(context.WithValue(r.Context(), secureKey{}, overTLS(lastOf(r, "X-Forwarded-Proto"))))
			r.RemoteAddr = net.JoinHostPort(s.clientOf(r, peer.Addr()).String(), "0")
		}
		next.ServeHTTP(w, r)
	})
}

// overTLS reports whether a proxy's word for the client's scheme means TLS.
// Traefik and others name the scheme of a WebSocket (RFC 6455, 3).
func overTLS(scheme string) bool { return scheme == "https" || scheme == "wss" }

// clientOf walks the hops back from the proxy that connected. It stops at the
// first that is not trusted, or cannot be read.
func (s *Server) clientOf(r *http.Request, peer netip.Addr) netip.Addr {
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusts(peer); i-- {
		text := strings.TrimSpace(hops[i])
		if text == "" {
			break
		}
		hop, err := parseHop(text)
		if err != nil {
			s.unreadable.Do(func() {
				s.Log.Warn("X-Forwarded-For of a trusted proxy cannot be read; its own address is used (logged once)",
					"proxy", peer.String(), "value", text[:min(len(text), maxLogged)])
			})
			break
		}
		peer = hop
	}
	return peer
}

// maxLogged bounds what is logged of a header, in bytes.
const maxLogged = 200

// parseHop reads an address as proxies write it: bare, with a port, in brackets
// or in quotes.
func parseHop(text string) (netip.Addr, error) {
	text = strings.Trim(text, `"`)
	if hop, err := netip.ParseAddrPort(text); err == nil {
		return hop.Addr(), nil
	}
	return netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
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

// proxied reports whether a request came from a trusted proxy.
func proxied(r *http.Request) bool {
	_, ok := r.Context().Value(secureKey{}).(bool)
	return ok
}

// secure reports whether the client speaks TLS, to this server or to a trusted
// proxy before it.
func secure(r *http.Request) bool {
	behind, _ := r.Context().Value(secureKey{}).(bool)
	return behind || r.TLS != nil
}
