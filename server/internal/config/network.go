package config

import (
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"

	"social-server/internal/origin"
)

// reach says who can open a connection to LISTEN_ADDR.
type reach int

const (
	thisMachine reach = iota // a loopback address
	thisNetwork              // a private or link-local address
	everyone                 // a public address, every address, or a name whose addresses are not known
)

// reachOf returns the reach of a host:port that checkAddress has passed.
func reachOf(listen string) reach {
	host, _, _ := net.SplitHostPort(listen)
	ip, err := netip.ParseAddr(host)
	ip = ip.Unmap()
	switch {
	case strings.EqualFold(host, "localhost"), err == nil && ip.IsLoopback():
		return thisMachine
	case err == nil && (ip.IsPrivate() || ip.IsLinkLocalUnicast()):
		return thisNetwork
	}
	return everyone
}

// defaultRegistration is open where only people one knows can connect.
func defaultRegistration(listen string) Registration {
	if reachOf(listen) == everyone {
		return RegistrationFirstAccount
	}
	return RegistrationOpen
}

// HostNames returns the names under which the server may be addressed, besides
// localhost and IP addresses, and whether they hold for every connection:
// otherwise only for those that arrive at a loopback address. A server on every
// address is often reached by names that its configuration does not have.
func (c *Config) HostNames() (names []string, all bool) {
	names = slices.Clone(c.AllowedHosts)
	for _, text := range c.AllowedOrigins {
		if allowed, err := origin.Parse(text); err == nil {
			names = append(names, allowed.Host)
		}
	}
	if host, _, err := origin.Split(c.ListenAddr); err == nil {
		names = append(names, host)
	}
	return names, len(c.AllowedHosts) > 0 || reachOf(c.ListenAddr) == thisNetwork
}

// hosts takes host names, separated by commas.
func hosts(c *Config, value string) error {
	for _, one := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' }) {
		host, err := origin.Host(strings.TrimSuffix(one, "."))
		if err != nil {
			return problem("%q is not a host name: write it without scheme, port and *", one)
		}
		c.AllowedHosts = append(c.AllowedHosts, host)
	}
	return nil
}

// TLS reports whether the server itself speaks TLS.
func (c *Config) TLS() bool { return c.TLSCertFile != "" }

// Certificate reads TLS_CERT_FILE and TLS_KEY_FILE. The key file must not be
// open to others.
func (c *Config) Certificate() (tls.Certificate, error) {
	_, mode, err := readKey(c.TLSKeyFile)
	if err != nil {
		return tls.Certificate{}, bad("TLS_KEY_FILE", "%v", err)
	}
	if tooOpen(c.TLSKeyFile, mode) {
		return tls.Certificate{}, bad("TLS_KEY_FILE", "%s is open to others (mode %04o): run chmod 600 on it", c.TLSKeyFile, mode)
	}
	pair, err := tls.LoadX509KeyPair(c.TLSCertFile, c.TLSKeyFile)
	if err != nil {
		return tls.Certificate{}, bad("TLS_CERT_FILE", "does not make a certificate with TLS_KEY_FILE: %v", cause(err))
	}
	return pair, nil
}

// agreeOnTransport refuses half a certificate, and passwords in the clear.
func (c *Config) agreeOnTransport() error {
	switch {
	case (c.TLSCertFile == "") != (c.TLSKeyFile == ""):
		return bad("TLS_CERT_FILE", "and TLS_KEY_FILE belong together: set both or none")
	case reachOf(c.ListenAddr) != thisMachine && !c.TLS() && len(c.TrustedProxies) == 0 && !c.AllowPlainHTTP:
		return bad("LISTEN_ADDR", "%s is open to other machines without TLS: set TLS_CERT_FILE and TLS_KEY_FILE, or TRUSTED_PROXIES, or ALLOW_PLAIN_HTTP=1", c.ListenAddr)
	}
	return nil
}

// proxies takes networks and addresses, separated by commas.
func proxies(c *Config, value string) error {
	for _, one := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' }) {
		network, err := parseNetwork(one)
		if err != nil {
			return problem("%q is not a network such as 10.0.0.0/8, nor an address", one)
		}
		if network.Bits() == 0 {
			return problem("%q would believe everyone: name the proxy's own network", one)
		}
		c.TrustedProxies = append(c.TrustedProxies, network)
	}
	return nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		network, err := netip.ParsePrefix(text)
		return network.Masked(), err
	}
	address, err := netip.ParseAddr(text)
	if err != nil || address.Zone() != "" {
		return netip.Prefix{}, errors.New("not an address")
	}
	address = address.Unmap()
	return netip.PrefixFrom(address, address.BitLen()), nil
}
