package doctor

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// encrypted asks whether the server knows that devices come over TLS: then, and
// only then, browsers are told to insist on it.
func (v *Visit) encrypted(context.Context) Finding {
	if v.token == "" {
		return passed("nobody could log in")
	}
	cookie := v.head.Get("Set-Cookie")
	knows := v.head.Get("Strict-Transport-Security") != "" && strings.HasPrefix(cookie, "__Host-") && strings.Contains(cookie, "Secure")
	switch {
	case v.Public.secure() && !knows:
		return Bad("the server does not know that this is https, so that its cookie is not Secure: let the proxy say so, and set TRUSTED_PROXIES to its address").
			with(needForwarded.advice())
	case v.Public.secure():
		return Good("browsers are told to insist on https, and the cookie is Secure")
	case knows:
		return Bad("the server believes that %s is https: a proxy says so though it is not", v.Public.URL)
	case !v.thisMachine():
		return Doubtful("%s is not encrypted: passwords travel in the clear", v.Public.URL)
	}
	return Good("not needed on this machine")
}

// thisMachine reports whether the public address is a loopback one.
func (v *Visit) thisMachine() bool {
	u, err := url.Parse(v.Public.URL)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// forwarded asks whose address the server takes ours for: limits on guessing go
// by it, and the audit log shows it.
func (v *Visit) forwarded(ctx context.Context) Finding {
	if v.token == "" {
		return passed("nobody could log in")
	}
	var page struct {
		Events []struct {
			Event   string `json:"event"`
			Address string `json:"address"`
		} `json:"events"`
	}
	if _, err := v.Public.ask(ctx, call{method: http.MethodGet, path: root + "/audit", token: v.token}, &page); err != nil {
		return Bad("the account's log cannot be read: %v", err)
	}
	for _, e := range page.Events {
		if e.Event == "login" {
			return v.judge(e.Address)
		}
	}
	return Bad("the account's log has no log-in in it")
}

// judge says what it means that the server saw an address. Of IPv6 it sees the
// network.
func (v *Visit) judge(seen string) Finding {
	from := v.Public.from()
	ours := from.String()
	if from.Is6() {
		if network, err := from.WithZone("").Prefix(64); err == nil {
			ours = network.String()
		}
	}
	address, _ := netip.ParseAddr(seen) // of a network, or of nothing, it is invalid: nobody's proxy
	switch {
	case seen == marker && !v.trusts(from):
		return Bad("the server believes whatever address a device claims: let the proxy set X-Forwarded-For").with(needForwarded.advice())
	case seen == ours, seen == marker:
		return Good("the server sees where devices come from")
	case v.trusts(address):
		return Bad("the server takes every device for its proxy %s: let the proxy pass on the address", seen).with(needForwarded.advice())
	case v.behind() && len(v.Trusted) == 0:
		return Bad("the server takes every device for its proxy: set TRUSTED_PROXIES=%s and let the proxy pass on the address", seen).
			with(needForwarded.advice())
	}
	return Doubtful("the server sees %s, though we come from %s: fine if that is our own router, else add it to TRUSTED_PROXIES", seen, ours)
}

func (v *Visit) trusts(address netip.Addr) bool {
	for _, network := range v.Trusted {
		if network.Contains(address.Unmap()) {
			return true
		}
	}
	return false
}
