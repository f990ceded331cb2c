package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// commandCase is what a newcomer sees of a command.
type commandCase struct {
	operands []string
	first    string // what it says in an empty folder; "" if it succeeds there
	stopped  bool   // it wants the server stopped
	says     string
	fails    bool // it cannot succeed on SQLite
}

// commandCases are those of commands(), but serve, which is started for them.
func commandCases() map[string]commandCase {
	return map[string]commandCase{
		"backup":           {operands: []string{"my backup.db"}, first: "no database to back up", says: "Backed up to my backup.db, and checked: users 1"},
		"restore":          {operands: []string{"my backup.db"}, first: "no such file", stopped: true, says: "Restored my backup.db: users 1"},
		"copy":             {operands: []string{"my backup.db"}, first: "DATABASE_URL", says: "DATABASE_URL: is empty", fails: true},
		"admin reset-code": {operands: []string{"anna@example.org"}, first: "no database yet", says: "sets a new password for anna@example.org"},
		"admin new-epoch":  {first: "DATABASE_URL", says: "social-server restore gives SQLite a new epoch", fails: true},
		"healthcheck":      {first: "connection refused"},
		"doctor":           {first: "start the server once", says: "can be written to"},
		"version":          {says: "dev"},
		"help":             {says: "social-server backup FILE"},
	}
}

// schemaOfOurOwn is no demo's.
const schemaOfOurOwn = `{"type":"object","properties":{"editor":{"type":"object","properties":{"zoom":{"type":"number","default":1}}}}}`

// Faults A1, D4: every command is run as a newcomer does: in a fresh folder,
// without .env, with relative paths and a schema of one's own; before the first
// start, beside the running server, and after it was stopped. The folder's name
// has what means something in a URI, in SQL and to a shell.
func TestEveryCommandByDefault(t *testing.T) {
	dir := filepath.Join(t.TempDir(), `a?b#c %41&d'e"f`)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "my schema.json"), []byte(schemaOfOurOwn), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"LISTEN_ADDR=localhost:" + freePort(t), "SETTINGS_SCHEMA=my schema.json"}
	cases := commandCases()
	for _, c := range commands() {
		if _, ok := cases[c.name]; !ok && c.name != "serve" {
			t.Errorf("the command %s has no case", c.name)
		}
	}
	if len(cases) != len(commands())-1 {
		t.Error("there are cases of no command")
	}
	each := func(t *testing.T, check func(t *testing.T, name string, c commandCase)) {
		t.Helper()
		for name, c := range cases {
			t.Run(name, func(t *testing.T) { check(t, name, c) })
		}
	}
	run := func(t *testing.T, name string, c commandCase, says string, fails bool) {
		t.Helper()
		text, good := runCommand(t, dir, env, append(strings.Fields(name), c.operands...)...)
		if good == fails || !strings.Contains(text, says) {
			t.Errorf("failed %v, want %v and %q:\n%s", !good, fails, says, text)
		}
		if lines := strings.Count(text, "\n"); !good && lines != 1 && name != "doctor" {
			t.Errorf("%d lines:\n%s", lines, text)
		}
	}

	t.Run("before", func(t *testing.T) {
		each(t, func(t *testing.T, name string, c commandCase) { run(t, name, c, c.first, c.first != "") })
	})
	server := serveIn(t, dir, env)
	post(t, server.url+"/api/v1/register", "", `{"deviceName":"Chrome.test6","email":"anna@example.org","password":"correct horse"}`, 201)
	grant := post(t, server.url+"/api/v1/login", "", `{"deviceName":"Chrome.test6","password":"correct horse"}`, 200)
	d := device{t, strings.Split(strings.SplitAfter(grant, `"accessToken":"`)[1], `"`)[0]}
	post(t, server.url+"/api/v1/users", d.token, `{"username":"TestUser6"}`, 201)
	d.patch(server.url, `{"editor":{"zoom":2}}`)
	t.Run("beside", func(t *testing.T) {
		each(t, func(t *testing.T, name string, c commandCase) {
			if c.stopped {
				run(t, name, c, "", true)
			} else {
				run(t, name, c, c.says, c.fails)
			}
		})
	})
	server.end(t, syscall.SIGTERM)
	t.Run("stopped", func(t *testing.T) {
		each(t, func(t *testing.T, name string, c commandCase) {
			if c.stopped {
				run(t, name, c, c.says, c.fails)
			}
		})
	})
	server = serveIn(t, dir, env)
	if got := d.get(server.url, "/settings"); !strings.Contains(got, `"zoom":2`) {
		t.Errorf("after the restore: %s", got)
	}
	server.end(t, syscall.SIGTERM)
}

// Fault D4: every command answers --help and -h, before and after its operands,
// takes them for nothing else, and refuses flags that it does not have by name.
func TestEveryCommandHasHelp(t *testing.T) {
	t.Chdir(t.TempDir())
	try := func(args ...string) (string, error) {
		var out output
		err := run(t.Context(), func() {}, args, []string{"LISTEN_ADDR=nonsense"}, &out) // so that none goes further
		return out.String(), err
	}
	for _, c := range commands() {
		words := strings.Fields(c.name)
		for _, args := range [][]string{
			append(slices.Clone(words), "--help"), append(slices.Clone(words), "-h"), append([]string{"--help"}, words...),
			append([]string{"help"}, words...), append(slices.Clone(words), "operand", "-help"), append(slices.Clone(words), "--force", "-h"),
		} {
			if c.name == "help" && slices.Contains(args, "operand") {
				continue // it has operands: commands
			}
			text, err := try(args...)
			if err != nil || !strings.Contains(text, c.does) || strings.Count(text, "\n") != 1 && c.name != "help" {
				t.Errorf("%q: %v\n%s", args, err, text)
			}
		}
		for _, args := range [][]string{append(slices.Clone(words), "--force"), append(slices.Clone(words), "operand", "--force")} {
			if text, err := try(args...); err == nil || !strings.Contains(err.Error(), `there is no flag "--force"`) || text != "" {
				t.Errorf("%q: %v %s", args, err, text)
			}
		}
	}
	for _, args := range [][]string{{"--help"}, {"-h"}, {"-help"}, {"help"}, {"help", "--help"}} {
		if text, err := try(args...); err != nil || strings.Count(text, "  social-server ") != len(commands()) {
			t.Errorf("%q: %v\n%s", args, err, text)
		}
	}
	if text, err := try("admin", "--help"); err != nil || strings.Count(text, "  social-server admin ") != 2 {
		t.Errorf("admin: %v\n%s", err, text)
	}
	for _, args := range [][]string{{"dance"}, {"help", "dance"}, {"dance", "-h"}, {"admin"}, {"admin", "dance"}, {"backup", "a", "b"}, {"-v"}, {"--port", "80"}, {""}} {
		if text, err := try(args...); err == nil || text != "" || strings.Contains(err.Error(), "LISTEN_ADDR") {
			t.Errorf("%q: %v\n%s", args, err, text)
		}
	}
	if c, rest, err := pick([]string{"admin", "reset-code", "--", "-odd"}); err != nil || c.name != "admin reset-code" || !slices.Equal(rest, []string{"-odd"}) {
		t.Errorf("behind --: %s %q %v", c.name, rest, err)
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
