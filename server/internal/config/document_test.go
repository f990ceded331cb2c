package config

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write .env.example and the README's table instead of comparing them")

const (
	exampleFile = "../../../.env.example"
	readmeFile  = "../../../README.md"
)

var tableInReadme = regexp.MustCompile(`(?s)(<!-- configuration[^>]*-->\n).*?(<!-- end of configuration -->)`)

func TestExampleIsTheTable(t *testing.T) {
	compare(t, exampleFile, Example())
}

func TestReadmeHasTheTable(t *testing.T) {
	text, err := os.ReadFile(readmeFile)
	if err != nil {
		t.Fatal(err)
	}
	if !tableInReadme.Match(text) {
		t.Fatal("README.md has no <!-- configuration --> mark")
	}
	compare(t, readmeFile, tableInReadme.ReplaceAllString(string(text), "${1}"+strings.ReplaceAll(Table(), "$", "$$")+"${2}"))
}

func compare(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(filepath.Clean(file), []byte(want), 0o644); err != nil { //nolint:gosec // a public file
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the table of variables says: run make generate", file)
	}
}

// The example, uncommented, is a configuration, and it is the default one.
func TestExampleIsTheDefault(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".env")
	lines := regexp.MustCompile(`(?m)^#([A-Z_]+=)`).ReplaceAllString(Example(), "$1")
	write(t, file, lines)
	cfg, err := Load(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(lines, "\n# "); n < len(variables()) {
		t.Errorf("%d lines of help for %d variables", n, len(variables()))
	}
	if cfg.ListenAddr != "localhost:3000" {
		t.Errorf("ListenAddr = %q", cfg.ListenAddr)
	}
}

func TestVariablesAreWhole(t *testing.T) {
	name := regexp.MustCompile(`^[A-Z]+(_[A-Z]+)*$`)
	seen := map[string]bool{}
	for _, v := range variables() {
		if !name.MatchString(v.name) || v.help == "" || v.group == "" || v.set == nil || seen[v.name] {
			t.Errorf("%+v is not whole, or there twice", v.name)
		}
		if v.secret && v.fallback != "" {
			t.Errorf("%s is a secret with a default", v.name)
		}
		if strings.Contains(v.help, "|") {
			t.Errorf("%s: its help breaks the README's table", v.name)
		}
		seen[v.name] = true
	}
}
