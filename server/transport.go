package main

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"strings"

	"social-server/internal/config"
)

// encrypt prepares TLS if there is a certificate. HTTP/2 stays
// off: WebSockets do not travel over it, and one protocol is enough to defend.
func (p *program) encrypt() error {
	if !p.cfg.TLS() {
		return nil
	}
	certificate, err := p.cfg.Certificate()
	if err != nil {
		return err
	}
	p.tls = &tls.Config{
		Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
	}
	p.url = encrypted(p.url)
	return nil
}

func encrypted(url string) string { return "https" + strings.TrimPrefix(url, "http") }

// ownURL is where this server is, as seen from its own machine. It names no host
// that would have to be resolved: an image from scratch has no hosts file.
func ownURL(cfg config.Config) string {
	url := "http://" + loopbackOf(cfg.ListenAddr)
	if cfg.TLS() {
		return encrypted(url)
	}
	return url
}

// loopbackOf returns the address to dial for a LISTEN_ADDR.
func loopbackOf(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	switch ip := net.ParseIP(host); {
	case host == "", strings.EqualFold(host, "localhost"), ip.Equal(net.IPv4zero):
		host = "127.0.0.1"
	case ip.IsUnspecified():
		host = "::1"
	}
	return net.JoinHostPort(host, port)
}

// ownTLS trusts this server's own certificate, whatever name it is for; nil
// without TLS.
func ownTLS(cfg config.Config) (*tls.Config, error) {
	if !cfg.TLS() {
		return nil, nil //nolint:nilnil // the default
	}
	pair, err := cfg.Certificate()
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(pair.Leaf)
	name := ""
	switch {
	case len(pair.Leaf.DNSNames) > 0:
		name = pair.Leaf.DNSNames[0]
	case len(pair.Leaf.IPAddresses) > 0:
		name = pair.Leaf.IPAddresses[0].String()
	}
	return &tls.Config{RootCAs: roots, ServerName: name, MinVersion: tls.VersionTLS12}, nil
}

// ownClient returns a client of this server, which goes through no proxy, and
// where the server is.
func ownClient(cfg config.Config) (*http.Client, string, error) {
	trust, err := ownTLS(cfg)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: trust, DisableKeepAlives: true}}, ownURL(cfg), err
}

// signingKeys returns the keys as the accounts take them.
func signingKeys(keys []config.Secret) [][]byte {
	all := make([][]byte, len(keys))
	for i, key := range keys {
		all[i] = []byte(key.Reveal())
	}
	return all
}
