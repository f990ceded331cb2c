package origin

import "testing"

// Fault C4: the scheme's own port, case and IDNA make no other origin. Fault E9:
// the scheme, the host and any other port do.
func TestOneSpelling(t *testing.T) {
	for text, want := range map[string]string{
		"https://a.example":             "https://a.example",
		"https://a.example:443":         "https://a.example",
		"https://a.example:":            "https://a.example",
		"HTTPS://A.Example:0443":        "https://a.example",
		"http://a.example:80":           "http://a.example",
		"http://a.example:443":          "http://a.example:443",
		"https://a.example:80":          "https://a.example:80",
		"https://BÜCHER.example":        "https://xn--bcher-kva.example",
		"https://xn--bcher-kva.example": "https://xn--bcher-kva.example",
		"http://my_host:3000":           "http://my_host:3000",
		"http://127.0.0.1:3000":         "http://127.0.0.1:3000",
		"https://[2001:DB8:0::1]:443":   "https://[2001:db8::1]",
		"http://[::1]:3000":             "http://[::1]:3000",
	} {
		got, err := Parse(text)
		if err != nil || got.String() != want {
			t.Errorf("%s: %s %v, want %s", text, got, err, want)
		}
		if again, err := Parse(got.String()); err != nil || again != got {
			t.Errorf("%s: %v and, read again, %v %v", text, got, again, err)
		}
	}
}

func TestNoOrigins(t *testing.T) {
	for _, text := range []string{
		"", "null", ":::", "a.example", "//a.example", "https:a.example", "https://", "https://:443", "ftp://a.example", "file://",
		"wss://a.example", "https://a.example/", "https://a.example?", "https://a.example#", "https://me@a.example", "https://a b",
		"https://a.example:x", "https://a.example:0", "https://a.example:65536", "https://a.example:-1", "https://a:1:2",
		"https://::1", "https://[::1", "https://::1]", "https://[a.example]", "https://[127.0.0.1]", "https://[fe80::1%25eth0]",
		"https://a%2eexample", "https://a.example, https://b.example", "https://*.example", "https://\xff.example", "https://a\x00b",
	} {
		if got, err := Parse(text); err == nil {
			t.Errorf("%q is %s", text, got)
		}
	}
}
