package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRegistrationFollowsTheAddress: who can connect decides who may register,
// unless REGISTRATION says it.
func TestRegistrationFollowsTheAddress(t *testing.T) {
	tests := map[string]Registration{
		"localhost:3000": RegistrationOpen, "LOCALHOST:0": RegistrationOpen, "127.0.0.1:3000": RegistrationOpen,
		"127.9.9.9:1": RegistrationOpen, "[::1]:3000": RegistrationOpen, "[::ffff:127.0.0.1]:1": RegistrationOpen,
		"10.1.2.3:80": RegistrationOpen, "172.16.0.1:80": RegistrationOpen, "192.168.1.5:3000": RegistrationOpen,
		"169.254.1.1:80": RegistrationOpen, "[fd00::1]:80": RegistrationOpen, "[fe80::1]:80": RegistrationOpen,
		":3000": RegistrationFirstAccount, "0.0.0.0:3000": RegistrationFirstAccount, "[::]:3000": RegistrationFirstAccount,
		"203.0.113.7:443": RegistrationFirstAccount, "172.32.0.1:80": RegistrationFirstAccount,
		"[2001:db8::1]:443": RegistrationFirstAccount, "sync.example.org:443": RegistrationFirstAccount,
		"localhost.example.org:80": RegistrationFirstAccount,
	}
	for listen, want := range tests {
		env := []string{"LISTEN_ADDR=" + listen, "ALLOW_PLAIN_HTTP=1"}
		cfg, err := Load(noDotenv, env)
		if err != nil || cfg.Accounts.Registration != want {
			t.Errorf("%s: %q %v, want %q", listen, cfg.Accounts.Registration, err, want)
		}
		for _, said := range []Registration{RegistrationOpen, RegistrationFirstAccount, RegistrationClosed} {
			cfg, err := Load(noDotenv, append(env, "REGISTRATION="+string(said)))
			if err != nil || cfg.Accounts.Registration != said {
				t.Errorf("%s with REGISTRATION=%s: %q %v", listen, said, cfg.Accounts.Registration, err)
			}
		}
	}
}

// TestPlainHTTPMustBeSaid: beyond this machine the server starts with TLS,
// behind a proxy, or knowingly without (SEC-40).
func TestPlainHTTPMustBeSaid(t *testing.T) {
	cert, key := certificate(t)
	files := "TLS_CERT_FILE=" + cert + "\nTLS_KEY_FILE=" + key
	tests := map[string]struct {
		env    string
		blamed string // "" starts
	}{
		"this machine":              {"LISTEN_ADDR=localhost:3000", ""},
		"this machine, by number":   {"LISTEN_ADDR=[::1]:3000", ""},
		"every address":             {"LISTEN_ADDR=:3000", "LISTEN_ADDR"},
		"a private address":         {"LISTEN_ADDR=192.168.1.5:3000", "LISTEN_ADDR"},
		"a public address":          {"LISTEN_ADDR=203.0.113.7:80", "LISTEN_ADDR"},
		"a name":                    {"LISTEN_ADDR=sync.example.org:80", "LISTEN_ADDR"},
		"allowed":                   {"LISTEN_ADDR=:3000\nALLOW_PLAIN_HTTP=1", ""},
		"not allowed":               {"LISTEN_ADDR=:3000\nALLOW_PLAIN_HTTP=0", "LISTEN_ADDR"},
		"neither yes nor no":        {"ALLOW_PLAIN_HTTP=maybe", "ALLOW_PLAIN_HTTP"},
		"behind a proxy":            {"LISTEN_ADDR=:3000\nTRUSTED_PROXIES=10.0.0.1", ""},
		"with TLS":                  {"LISTEN_ADDR=:3443\n" + files, ""},
		"half a certificate":        {"TLS_CERT_FILE=" + cert, "TLS_CERT_FILE"},
		"the other half":            {"TLS_KEY_FILE=" + key, "TLS_CERT_FILE"},
		"a certificate not there":   {"TLS_CERT_FILE=no.pem\nTLS_KEY_FILE=" + key, "TLS_CERT_FILE"},
		"a proxy that is a name":    {"TRUSTED_PROXIES=proxy.example.org", "TRUSTED_PROXIES"},
		"a proxy with a port":       {"TRUSTED_PROXIES=10.0.0.1:80", "TRUSTED_PROXIES"},
		"a network too narrow":      {"TRUSTED_PROXIES=10.0.0.0/33", "TRUSTED_PROXIES"},
		"everyone as a proxy":       {"TRUSTED_PROXIES=0.0.0.0/0", "TRUSTED_PROXIES"},
		"everyone as a proxy, IPv6": {"TRUSTED_PROXIES=::/0", "TRUSTED_PROXIES"},
		"an address with a zone":    {"TRUSTED_PROXIES=fe80::1%eth0", "TRUSTED_PROXIES"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Load(noDotenv, strings.Split(tt.env, "\n"))
			if tt.blamed != "" {
				checkRefusal(t, err, tt.blamed)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// Fault E4: the names that a server may be addressed by, and whether they hold
// for every connection.
func TestHostNames(t *testing.T) {
	for env, want := range map[string]string{
		"LISTEN_ADDR=localhost:3000":                                   "[localhost] false",
		"LISTEN_ADDR=192.168.1.5:3000":                                 "[192.168.1.5] true",
		"LISTEN_ADDR=:3000":                                            "[] false",
		"LISTEN_ADDR=NAS.example.org:3000":                             "[nas.example.org] false",
		"LISTEN_ADDR=:3000\nALLOWED_HOSTS=Nas.lan., bücher.example":    "[nas.lan xn--bcher-kva.example] true",
		"LISTEN_ADDR=:3000\nALLOWED_ORIGINS=https://a.example:8443":    "[a.example] false",
		"LISTEN_ADDR=[fd00::1]:80\nALLOWED_ORIGINS=http://[FD00::2]:1": "[[fd00::2] [fd00::1]] true",
	} {
		cfg, err := Load(noDotenv, append(strings.Split(env, "\n"), "ALLOW_PLAIN_HTTP=1"))
		if err != nil {
			t.Fatal(err)
		}
		names, all := cfg.HostNames()
		if got := fmt.Sprint(names, " ", all); got != want {
			t.Errorf("%s: %s, want %s", env, got, want)
		}
	}
}

func TestTrustedProxies(t *testing.T) {
	cfg, err := Load(noDotenv, []string{"TRUSTED_PROXIES=10.1.2.3/8, 192.0.2.1,2001:db8::/32 ::ffff:192.0.2.9,"})
	if err != nil {
		t.Fatal(err)
	}
	const want = "[10.0.0.0/8 192.0.2.1/32 2001:db8::/32 192.0.2.9/32]"
	if got := fmt.Sprint(cfg.TrustedProxies); got != want {
		t.Errorf("TrustedProxies = %s, want %s", got, want)
	}
}

func TestCertificate(t *testing.T) {
	cert, key := certificate(t)
	load := func(cert, key string) error {
		cfg, err := Load(noDotenv, []string{"TLS_CERT_FILE=" + cert, "TLS_KEY_FILE=" + key})
		if err != nil {
			t.Fatal(err)
		}
		if !cfg.TLS() {
			t.Error("TLS() = false")
		}
		_, err = cfg.Certificate()
		return err
	}
	if err := load(cert, key); err != nil {
		t.Fatal(err)
	}
	other, _ := certificate(t)
	checkRefusal(t, load(other, key), "TLS_CERT_FILE")
	checkRefusal(t, load(key, key), "TLS_CERT_FILE")
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	checkRefusal(t, load(cert, key), "TLS_KEY_FILE")
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	cfg := Config{TLSCertFile: cert, TLSKeyFile: key}
	_, err := cfg.Certificate()
	checkRefusal(t, err, "TLS_KEY_FILE")
}

// TestPreviousKeys come from the variable or the file, are checked like the
// first, and are never shown.
func TestPreviousKeys(t *testing.T) {
	const second = "Qe7Rt1Yu5Io9Pa3Sd8Fg2Hj6Kl4Zx0Cv"
	file := func(text string, mode os.FileMode) string {
		name := filepath.Join(t.TempDir(), "keys")
		write(t, name, text)
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		return name
	}
	raw := "\x00\n,\r \xff" + strings.Repeat("\n", keyBytes-6) // what jwt.key may well hold
	tests := map[string]struct {
		env, blamed string
		keys        []string // after the first
	}{
		"none":              {"", "", nil},
		"one":               {"JWT_SECRET_PREVIOUS=" + second, "", []string{second}},
		"two":               {"JWT_SECRET_PREVIOUS=" + second + ", x" + second, "", []string{second, "x" + second}},
		"two, one a line":   {"JWT_SECRET_PREVIOUS_FILE=" + file(second+"\nx"+second+"\n", 0o600), "", []string{second, "x" + second}},
		"a former jwt.key":  {"JWT_SECRET_PREVIOUS_FILE=" + file(raw, 0o600), "", []string{raw}},
		"a short one":       {"JWT_SECRET_PREVIOUS=" + second + ",hunter2-hunter2", "JWT_SECRET_PREVIOUS", nil},
		"a short one, file": {"JWT_SECRET_PREVIOUS_FILE=" + file("hunter2-hunter2", 0o600), "JWT_SECRET_PREVIOUS_FILE", nil},
		"an open file":      {"JWT_SECRET_PREVIOUS_FILE=" + file(second, 0o644), "JWT_SECRET_PREVIOUS_FILE", nil},
		"a missing file":    {"JWT_SECRET_PREVIOUS_FILE=no-such-file", "JWT_SECRET_PREVIOUS_FILE", nil},
		"both":              {"JWT_SECRET_PREVIOUS=" + second + "\nJWT_SECRET_PREVIOUS_FILE=x", "JWT_SECRET_PREVIOUS_FILE", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cfg, err := Load(noDotenv, append(strings.Split(tt.env, "\n"), "JWT_SECRET="+goodSecret))
			var keys []Secret
			if err == nil {
				keys, err = cfg.SigningKeys()
			}
			if tt.blamed != "" {
				checkRefusal(t, err, tt.blamed)
				return
			}
			if err != nil || len(keys) != len(tt.keys)+1 || keys[0].Reveal() != goodSecret {
				t.Fatalf("%d keys, %v", len(keys), err)
			}
			for i, want := range tt.keys {
				if got := keys[i+1].Reveal(); got != want {
					t.Errorf("key %d = %q, want %q", i+1, got, want)
				}
			}
			if shown := fmt.Sprintf("%v %+v %#v", cfg, cfg, cfg); strings.Contains(shown, second) {
				t.Errorf("a former key is shown in %s", shown)
			}
		})
	}
}

// certificate writes a certificate of localhost and its key.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"},
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
	write(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	return cert, key
}
