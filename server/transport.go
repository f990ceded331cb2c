package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"strings"

	"social-server/internal/config"
)

// encrypt puts TLS before the listener if there is a certificate. HTTP/2 stays
// off: WebSockets do not travel over it, and one protocol is enough to defend.
func (p *program) encrypt() error {
	if !p.cfg.TLS() {
		return nil
	}
	certificate, err := p.cfg.Certificate()
	if err != nil {
		return err
	}
	p.listener = tls.NewListener(p.listener, &tls.Config{
		Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
	})
	p.url = encrypted(p.url)
	return nil
}

func encrypted(url string) string { return "https" + strings.TrimPrefix(url, "http") }

// ownClient returns a client that trusts this server's own certificate,
// whatever name the certificate is for, and where the server is.
func ownClient(cfg config.Config) (*http.Client, string, error) {
	url := address(cfg.ListenAddr)
	if !cfg.TLS() {
		return http.DefaultClient, url, nil
	}
	pair, err := cfg.Certificate()
	if err != nil {
		return nil, "", err
	}
	roots := x509.NewCertPool()
	roots.AddCert(pair.Leaf)
	name := ""
	if len(pair.Leaf.DNSNames) > 0 {
		name = pair.Leaf.DNSNames[0]
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: name, MinVersion: tls.VersionTLS12}}
	return &http.Client{Transport: transport}, encrypted(url), nil
}

// signingKeys returns the keys as the accounts take them.
func signingKeys(keys []config.Secret) [][]byte {
	all := make([][]byte, len(keys))
	for i, key := range keys {
		all[i] = []byte(key.Reveal())
	}
	return all
}
