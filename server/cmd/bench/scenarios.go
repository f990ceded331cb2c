//go:build linux

package main

import "context"

// scenario is one part of the benchmark.
type scenario struct {
	name     string
	headline string
	text     string // what is done, for the report
	once     bool   // in the first round only
	run      func(*bench, context.Context) error
}

// scenarios lists them, in the order in which they run.
func scenarios() []scenario {
	return []scenario{
		{name: "disk", headline: "The disk", run: (*bench).diskFloor,
			text: "Floor (c): 4 KiB written and flushed, each alone or 32 with one flush, on the file system of the data folder."},
		{name: "idle", headline: "Sessions that are only connected", run: (*bench).idleSessions,
			text: "Users of five devices connect, with their token checked and the state sent, and stay. Memory is what the process holds after its garbage is collected, beyond what it held before they came. The load answers pings."},
		{name: "rates", headline: "Changes at a fixed rate", run: (*bench).fixedRates,
			text: "Users of five devices; each change of 100 bytes goes to the four others and comes back to its sender: five deliveries. Latency counts from when a change was due. CPU is the process's own, or everything its core did, which includes the kernel's work for the disk."},
		{name: "slow-commit", headline: "The same, with 2 ms added to each commit", run: (*bench).slowCommits,
			text: "A disk whose flush takes its time. Floor (b) sleeps before each commit, the server in SQLite's commit hook, compiled in by go build -overlay."},
		{name: "saturation", headline: "The highest rate held", run: (*bench).saturation,
			text: "The highest rate at which 99 of 100 deliveries arrive within 100 ms: up in steps of 1.5, then the last step halved."},
		{name: "crowd", headline: "One user with very many devices", run: (*bench).crowded,
			text: "20 changes a second, delivered to every device; latency until the last one has it."},
		{name: "slow", headline: "Devices that do not read", run: (*bench).slowReaders,
			text: "20 users of ten devices, 400 changes of 16 kB a second. Two of a hundred devices, with small receive buffers, read nothing for a while and then catch up. In time is within a second. Held is the server's heap, beyond what it was without them. WRITE_TIMEOUT is raised to a minute: a device that takes nothing at all for 5 s counts as gone otherwise (SPEC S8)."},
		{name: "reconnect", headline: "Coming back after a crash", run: (*bench).comeBack,
			text: "The server is killed and started again; all devices connect at once and resume. A whole state is one sent from the beginning to a device that had it."},
		{name: "rest", headline: "Plain HTTP", run: (*bench).plainHTTP,
			text: "32 connections, each sending the next request when the last was answered."},
		{name: "sse", headline: "Server-Sent Events against WebSocket", run: (*bench).streams,
			text: "The same load twice. The first device of each user sends, over WebSocket; the others listen."},
		{name: "stored", headline: "A large database", run: (*bench).largeStore, once: true,
			text: "Start and first connect with very many users stored."},
		{name: "page", headline: "The page", run: (*bench).page, once: true,
			text: "All scripts that /app names, but those for browsers without modules."},
		{name: "postgres", headline: "PostgreSQL", once: true, run: (*bench).onPostgres,
			text: "As above, with the data in a PostgreSQL server that shares the server's core with it."},
		{name: "two-nodes", headline: "Two nodes", once: true, run: (*bench).twoNodes,
			text: "Two servers over Redis and PostgreSQL; each user has devices on both."},
	}
}
