package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeCertificate makes a certificate for a name and returns its two files.
func writeCertificate(t *testing.T, name string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// TestTLS: the server speaks TLS itself, 1.2 or newer, without HTTP/2; what
// comes over it is secure, and plain HTTP is refused, not redirected (SEC-40).
func TestTLS(t *testing.T) {
	cert, key := writeCertificate(t, "sync.example.org")
	r := runServer(t, filepath.Join(t.TempDir(), "data"), "TLS_CERT_FILE="+cert, "TLS_KEY_FILE="+key)
	defer r.end(t)
	if !strings.HasPrefix(r.url, "https://localhost:") {
		t.Fatalf("it is at %s", r.url)
	}
	address := strings.TrimPrefix(r.url, "https://")
	pem, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	dial := func(newest uint16) (*tls.Conn, error) {
		return tls.Dial("tcp", address, &tls.Config{
			RootCAs: roots, ServerName: "sync.example.org", MinVersion: tls.VersionTLS10, MaxVersion: newest, NextProtos: []string{"h2", "http/1.1"},
		})
	}
	for version, want := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		conn, err := dial(version)
		if (err == nil) != want {
			t.Errorf("%s: %v, want it accepted: %v", tls.VersionName(version), err, want)
		}
		if err == nil {
			if got := conn.ConnectionState().NegotiatedProtocol; got != "http/1.1" {
				t.Errorf("%s speaks %s", tls.VersionName(version), got)
			}
			conn.Close()
		}
	}
	conn, err := dial(tls.VersionTLS13)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /healthz HTTP/1.1\r\nHost: sync.example.org\r\nConnection: close\r\n\r\n")
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200") || !strings.Contains(string(answer), "Strict-Transport-Security: max-age=31536000\r\n") {
		t.Errorf("%v %s", err, answer)
	}
	plain, err := http.Get("http://" + address + "/api/v1/schema")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Body.Close()
	if plain.StatusCode != http.StatusBadRequest || plain.Header.Get("Location") != "" {
		t.Errorf("over plain HTTP: %s %v", plain.Status, plain.Header)
	}
	env := []string{"LISTEN_ADDR=" + address, "TLS_CERT_FILE=" + cert, "TLS_KEY_FILE=" + key}
	if err := run(t.Context(), func() {}, []string{"healthcheck"}, env, r.out); err != nil {
		t.Errorf("healthcheck: %v", err)
	}
	other, otherKey := writeCertificate(t, "sync.example.org")
	env = []string{"LISTEN_ADDR=" + address, "TLS_CERT_FILE=" + other, "TLS_KEY_FILE=" + otherKey}
	if err := run(t.Context(), func() {}, []string{"healthcheck"}, env, r.out); err == nil {
		t.Error("healthcheck takes another certificate for its own")
	}
}

// TestPlainHTTPIsNotServedWidely unless somebody says so.
func TestPlainHTTPIsNotServedWidely(t *testing.T) {
	t.Chdir(t.TempDir())
	var out output
	data := "DATA_DIR=" + filepath.Join(t.TempDir(), "data")
	err := run(t.Context(), func() {}, nil, []string{"LISTEN_ADDR=0.0.0.0:0", data}, &out)
	if err == nil || !strings.HasPrefix(err.Error(), "LISTEN_ADDR: ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
	cert, _ := writeCertificate(t, "a")
	_, key := writeCertificate(t, "a")
	err = run(t.Context(), func() {}, nil, []string{"LISTEN_ADDR=127.0.0.1:0", data, "TLS_CERT_FILE=" + cert, "TLS_KEY_FILE=" + key}, &out)
	if err == nil || !strings.HasPrefix(err.Error(), "TLS_CERT_FILE: ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("a certificate with another's key: %v", err)
	}
}

// TestHugeHead is refused before it is read whole (SEC-31).
func TestHugeHead(t *testing.T) {
	r := runServer(t, filepath.Join(t.TempDir(), "data"))
	defer r.end(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	go func() { // more than is read, so its end may fail
		_, _ = fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: %s\r\n\r\n", strings.Repeat("x", 64<<10))
	}()
	answer := make([]byte, 64)
	n, err := conn.Read(answer)
	if err != nil || !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 431 ") {
		t.Errorf("%v %s", err, answer[:n])
	}
}
