//go:build linux

package main

import (
	"strings"
	"testing"

	"social-server/cmd/bench/internal/report"
)

// Every target names a scenario there is, and is compared with the same figure of
// another: a typo would read "not measured" forever.
func TestTargetsNameScenarios(t *testing.T) {
	known := make(map[string]bool)
	for _, s := range scenarios() {
		known[s.name] = true
	}
	for _, target := range targets() {
		if !known[target.Of.Scenario] {
			t.Errorf("%s is of scenario %q", target.Text, target.Of.Scenario)
		}
		if target.Beside != (report.Name{}) && (target.Beside.Figure != target.Of.Figure || target.Beside.Scenario != target.Of.Scenario) {
			t.Errorf("%s is compared with another figure: %+v", target.Text, target.Beside)
		}
	}
}

// The page says what was measured, and not where it lay.
func TestDocument(t *testing.T) {
	o := options{server: "/somewhere/bin/social-server", commit: "abc1234"}
	page := document(o, full(), []string{"A processor, 2 cores"}, []string{"A note."}, "verdicts\n", "tables\n")
	if strings.Contains(page, "/somewhere") || !strings.Contains(page, "abc1234") || !strings.Contains(page, "- A note.") {
		t.Error(page)
	}
}
