package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every requirement that is cited anywhere in the repository is in
// docs/requirements.md, and every one there is cited.
func TestCitedRequirementsAreListed(t *testing.T) {
	const list = "../docs/requirements.md"
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| ([A-Z]+(?:-[A-Z]+)?-\d+) \|`).FindAllStringSubmatch(string(text), -1) {
		if listed[row[1]] {
			t.Errorf("%s is listed twice", row[1])
		}
		listed[row[1]] = true
	}
	code := regexp.MustCompile(`\b(?:SEC-\d+|C-\d+|S-(?:KILL|TERM|MEM|CFG|DISK|SQL|PG|RD|CL)-\d+)\b`)
	cited := map[string]string{}
	skipped := regexp.MustCompile(`node_modules|/\.|/out/|/dist/|/bin/|package-lock|requirements`)
	for _, root := range []string{".", "../client", "../docs", "../README.md", "../Makefile"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || skipped.MatchString(path) || !regexp.MustCompile(`\.(go|ts|tsx|md|json|yml)$|Makefile$`).MatchString(path) {
				return err
			}
			source, err := os.ReadFile(path)
			for _, c := range code.FindAllString(string(source), -1) {
				cited[c] = path
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for c, path := range cited {
		if !listed[c] {
			t.Errorf("%s, cited in %s, is not in %s", c, path, strings.TrimPrefix(list, "../"))
		}
	}
	for c := range listed {
		if cited[c] == "" {
			t.Errorf("%s is listed and cited nowhere", c)
		}
	}
}
