//go:build linux

package main

import (
	"fmt"

	"social-server/cmd/bench/internal/report"
)

// targets are those the server was given (a figure, or its ratio to a floor in
// the same run).
func targets() []report.Target {
	of := func(scenario, subject, figure string) report.Name {
		return report.Name{Scenario: scenario, Subject: subject, Figure: figure}
	}
	const a, b, own = "floor (a)", "floor (b)", "server"
	const ownCPU, coreCPU = "CPU per delivery at 5000 changes/s, own, µs", "CPU per delivery at 5000 changes/s, whole core, µs"
	list := []report.Target{
		{Text: "idle bytes per session", Of: of("idle", own, "bytes per session"), Beside: of("idle", a, "bytes per session"), Target: 1.5, Stretch: 1.25},
		{Text: "CPU per connect, with token check and first state", Of: of("idle", own, "CPU per connect, own, µs"), Beside: of("idle", a, "CPU per connect, own, µs"), Target: 2.5, Stretch: 2},
		{Text: "idle CPU, 10,000 sessions with pings", Of: of("idle", own, "CPU with pings, % of a core"), Target: 0.5, Stretch: 0.3, Unit: "%"},
		{Text: "CPU per delivery at 5,000 changes/s, own", Of: of("rates", own, ownCPU), Beside: of("rates", b, ownCPU), Target: 1.15, Stretch: 1.05},
		{Text: "CPU per delivery at 5,000 changes/s, whole core", Of: of("rates", own, coreCPU), Beside: of("rates", b, coreCPU), Target: 1.15, Stretch: 1.05},
	}
	for _, p := range []string{"p50", "p99"} {
		figure := p + " at 2000 changes/s, ms"
		list = append(list, report.Target{Text: p + " at 2,000 changes/s", Of: of("rates", own, figure), Beside: of("rates", b, figure), Target: 2, Stretch: 1.3})
	}
	for _, rate := range full().rates {
		text := fmt.Sprintf("with 2 ms added to each commit, at %s changes/s", report.Number(float64(rate)))
		list = append(list,
			report.Target{Text: text + ": p50", Of: of("slow-commit", own, fmt.Sprintf("p50 at %d changes/s, ms", rate)), Target: 6, Stretch: 5, Unit: "ms"},
			report.Target{Text: text + ": p99", Of: of("slow-commit", own, fmt.Sprintf("p99 at %d changes/s, ms", rate)), Target: 25, Stretch: 15, Unit: "ms"})
	}
	const highest, last = "highest rate held, changes/s", "last device has it, p99, ms"
	return append(list,
		report.Target{Text: "highest rate held, RAM disk", Of: of("saturation", own+", RAM disk", highest), Beside: of("saturation", b+", RAM disk", highest), Target: 0.75, Stretch: 0.9, AtLeast: true},
		report.Target{Text: "highest rate held, disk", Of: of("saturation", own, highest), Beside: of("saturation", b, highest), Target: 1, Stretch: 1.5, AtLeast: true},
		report.Target{Text: "slow readers: the others in time", Of: of("slow", own, "the others: in time, %"), Target: 100, Stretch: 100, AtLeast: true, Unit: "%"},
		report.Target{Text: "slow readers: the others' p99 against without", Of: of("slow", own, "the others: p99 against without"), Target: 1.5, Stretch: 1.1, Unit: "×"},
		report.Target{Text: "slow readers: held for each", Of: of("slow", own, "held for each slow device, KiB"), Target: 64, Stretch: 64, Unit: "KiB"},
		report.Target{Text: "slow readers: cut off for backlog", Of: of("slow", own, "slow devices cut off"), Target: 0, Stretch: 0},
		report.Target{Text: "slow readers: users that do not end equal", Of: of("slow", own, "users whose devices do not end equal"), Target: 0, Stretch: 0},
		report.Target{Text: "one user, 1,000 devices, 20 changes/s: last device p99", Of: of("crowd", own, last), Beside: of("crowd", b, last), Target: 1.25, Stretch: 1.1},
		report.Target{Text: "10,000 sessions back after a restart", Of: of("reconnect", own, "10000 sessions back after ready, s"), Target: 10, Stretch: 5, Unit: "s"},
		report.Target{Text: "whole states sent to devices that had them", Of: of("reconnect", own, "whole states sent to devices that had them"), Target: 0, Stretch: 0},
		report.Target{Text: "start to ready with 1,000,000 users stored", Of: of("stored", own, "start to ready, s"), Target: 0.3, Stretch: 0.1, Unit: "s"},
		report.Target{Text: "JavaScript of /app, gzipped", Of: of("page", "/app", "JavaScript, gzipped, kB"), Target: 200, Stretch: 150, Unit: "kB"},
	)
}
