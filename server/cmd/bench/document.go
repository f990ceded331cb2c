//go:build linux

package main

import (
	"fmt"
	"strings"
)

// document puts the report together.
func document(o options, s size, machine, notes []string, verdicts, tables string) string {
	var out strings.Builder
	command := "make bench"
	if o.short {
		command = "make bench-short"
	}
	fmt.Fprintf(&out, `# Benchmarks

Written by `+"`%s`"+`: medians of %d round(s), in which server and floors alternate. The server has one core, the load
another. *Floor (a)* is a bare fan-out over gorilla/websocket: no log-in, nothing stored, the frame built once and written to each socket
by the goroutine that brought the message. *Floor (b)* is the same with each change in SQLite first, in group commits, flushed before it is
sent. *Floor (c)* is the disk. Figures with † are the load's own: its core was at least 90 %% busy.

`, command, s.rounds)
	for _, line := range machine {
		fmt.Fprintf(&out, "- %s\n", line)
	}
	fmt.Fprintf(&out, "- commit %s\n\n## Targets\n\n%s%s", o.commit, verdicts, tables)
	if len(notes) > 0 {
		out.WriteString("\n## Notes\n\n")
		for _, note := range notes {
			fmt.Fprintf(&out, "- %s\n", note)
		}
	}
	return out.String()
}
