package main

import (
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

// readmeFile is found before a test changes the folder.
var readmeFile, _ = filepath.Abs("../README.md") // an error is one of reading it, too

// readme returns the lines of README between two others, which configure a proxy.
func readme(t *testing.T, from, to string) string {
	t.Helper()
	text, err := os.ReadFile(readmeFile)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n"+from+"\n")
	lines, _, ended := strings.Cut(rest, "\n"+to+"\n")
	if !found || !ended {
		t.Fatalf("README.md has no lines between %q and %q", from, to)
	}
	return lines
}

// at puts the server's address in the place of the one in README.
func (p *patient) at(lines string) string {
	return strings.NewReplacer("localhost:3000", "127.0.0.1"+p.port(), "127.0.0.1:3000", "127.0.0.1"+p.port()).Replace(lines)
}

// README's lines for nginx are enough. Fault C1: with gzip for JSON the doctor
// finds the weak ETags and names the lines against them.
func TestDoctorBeforeReadmesNginx(t *testing.T) {
	p := newPatient(t, "TRUSTED_PROXIES=127.0.0.1,::1")
	location := p.at(readme(t, "location / {", "}"))
	pass := "proxy_pass http://127.0.0.1" + p.port() + ";"
	if !strings.Contains(location, pass) {
		t.Fatalf("README's location passes on to elsewhere:\n%s", location)
	}
	location = strings.Replace(location, pass, "", 1) // bare has it
	text, err := p.examine(t, p.nginx(t, p.bare(location)))
	checkFindings(t, text, err)

	text, err = p.examine(t, p.nginx(t, p.bare(location+"gzip on; gzip_types application/json; gzip_min_length 1;")))
	checkFindings(t, text, err)
	if findings(text)["ETag"] != "warn" || !strings.Contains(text, "gzip off;") || !strings.Contains(text, `: W/"`) {
		t.Error(text)
	}
	text, err = p.examine(t, p.nginx(t, p.bare(location+"gzip on; gzip_types application/json; gzip_min_length 1;}\nlocation /api/ {"+pass+location+"gzip off;")))
	checkFindings(t, text, err) // the line helps
	if findings(text)["ETag"] != "ok" {
		t.Error(text)
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
	site := p.at(readme(t, "sync.example.org {", "}"))
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
	text, err = p.examine(t, prefixed) // whoever forgets the path gets Caddy's own answer
	checkFindings(t, text, err, "address")
	if !strings.Contains(text, "not by this server") {
		t.Error(text)
	}
}
