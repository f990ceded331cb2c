package main

import (
	"crypto/tls"
	"crypto/x509"
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

// ownURL is where this server is, as seen from its own machine.
func ownURL(cfg config.Config) string {
	if cfg.TLS() {
		return encrypted(address(cfg.ListenAddr))
	}
	return address(cfg.ListenAddr)
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
	if len(pair.Leaf.DNSNames) > 0 {
		name = pair.Leaf.DNSNames[0]
	}
	return &tls.Config{RootCAs: roots, ServerName: name, MinVersion: tls.VersionTLS12}, nil
}

// ownClient returns a client of this server, and where it is.
func ownClient(cfg config.Config) (*http.Client, string, error) {
	trust, err := ownTLS(cfg)
	if trust == nil {
		return http.DefaultClient, ownURL(cfg), err
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: trust}}, ownURL(cfg), nil
}

// signingKeys returns the keys as the accounts take them.
func signingKeys(keys []config.Secret) [][]byte {
	all := make([][]byte, len(keys))
	for i, key := range keys {
		all[i] = []byte(key.Reveal())
	}
	return all
}
