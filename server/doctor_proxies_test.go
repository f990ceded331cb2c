package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"social-server/internal/backing"
)

// Fault D5: the server has a schema of its own, and the doctor was started
// without it.
func TestDoctorWithAnotherSchema(t *testing.T) {
	file := filepath.Join(t.TempDir(), "schema.json")
	const schema = `{"properties":{"editor":{"properties":{"zoom":{"type":"number","minimum":0.5,"default":1},"font":{"enum":["a","b"],"default":"a"}}}}}`
	if err := os.WriteFile(file, []byte(schema), 0o600); err != nil {
		t.Fatal(err)
	}
	p := newPatient(t, "SETTINGS_SCHEMA="+file)
	text, err := p.examine(t)
	checkFindings(t, text, err)
	p.env = p.env[1:]
	text, err = p.examine(t)
	checkFindings(t, text, err)
	if !strings.Contains(text, "editor.font is there") {
		t.Error(text)
	}
}

// README's lines for nginx are enough. Fault C1: with gzip for JSON the doctor
// finds the weak ETags, and names the line against them, which helps.
func TestDoctorBeforeReadmesNginx(t *testing.T) {
	p := newPatient(t, "TRUSTED_PROXIES=127.0.0.1,::1")
	location := strings.Replace(readmeBlock(t, "proxy_pass"), ":3000", p.port(), 1)
	const gzip = "gzip on; gzip_types application/json;\n"
	helped := strings.Replace(location, "{", "{\ngzip off;", 1)
	for lines, want := range map[string]string{location: "ok", gzip + location: "warn", gzip + helped: "ok"} {
		text, err := p.examine(t, p.nginx(t, func(home string, port int) (string, error) {
			return fmt.Sprintf(bareNginx, home, port, lines), nil
		}))
		checkFindings(t, text, err)
		if got := findings(text)["ETag"]; got != want || want == "warn" && !strings.Contains(text, "gzip off;") {
			t.Errorf("%s\nETag is %s, want %s:\n%s", lines, got, want, text)
		}
	}
}

// caddy starts a real one before the server.
func (p *patient) caddy(t *testing.T, directives string) string {
	t.Helper()
	c, err := backing.StartCaddy(t.Context(), t.TempDir(), directives)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return "http://" + c.Addr()
}

// README's lines for Caddy are enough. Fault C11: the doctor finds encode on a
// stream and a path in front, and names the lines against them, which help.
func TestDoctorBeforeCaddy(t *testing.T) {
	p := newPatient(t, "TRUSTED_PROXIES=127.0.0.1,::1")
	site := strings.Replace(readmeBlock(t, "reverse_proxy"), ":3000", p.port(), 1)
	site = strings.TrimSuffix(site[strings.Index(site, "{")+1:], "}\n")
	text, err := p.examine(t, p.caddy(t, site))
	checkFindings(t, text, err)

	text, err = p.examine(t, p.caddy(t, "encode gzip zstd\n"+site))
	checkFindings(t, text, err, "events")
	advice := "@whole not path */events\nencode @whole gzip zstd"
	for _, line := range strings.Split(advice, "\n") {
		if !strings.Contains(text, line) {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
	text, err = p.examine(t, p.caddy(t, advice+"\n"+site))
	checkFindings(t, text, err)

	prefixed := p.caddy(t, "handle_path /sync/* {\n"+site+"\n}")
	text, err = p.examine(t, prefixed+"/sync")
	checkFindings(t, text, err, "pages")
	if !strings.Contains(text, "do not work below /sync") || !strings.Contains(text, "no handle_path") {
		t.Error(text)
	}
	text, err = p.examine(t, prefixed) // without the path, Caddy itself answers
	checkFindings(t, text, err, "address")
	if !strings.Contains(text, "if there is a path in front") || !strings.Contains(text, "no handle_path") {
		t.Error(text)
	}
}
