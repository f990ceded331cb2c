package faults

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

const (
	user    = "TestUser6" // all devices have joined it
	devices = 12
	keys    = 120 // of block "set" in the tests' schema
)

// The first of these is built at most once per run of the tests.
var (
	builder = &Builder{}
	scratch string // removed at the end
)

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "faults"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(scratch)
	builder.Dir = scratch
	if err = writeSchema(filepath.Join(scratch, "schema.json")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err = flag.Set("test.parallel", "4"); err != nil { // most of these tests mostly wait
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err = endShared(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	web.CloseIdleConnections()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// key returns the name of one of the schema's keys.
func key(n int) string { return fmt.Sprintf("set.k%03d", n) }

// one returns a change of a single key.
func one(key, text string) map[string]string { return map[string]string{key: text} }

// writeSchema writes the tests' schema: many keys of any type.
func writeSchema(path string) error {
	var fields []string
	for n := range keys {
		fields = append(fields, fmt.Sprintf(`"k%03d":{"default":0}`, n))
	}
	text := `{"type":"object","properties":{"set":{"type":"object","properties":{` + strings.Join(fields, ",") + `}}}}`
	return os.WriteFile(path, []byte(text), 0o600)
}

// roomy is the configuration of servers that are driven hard on purpose.
func roomy() []string {
	return []string{
		"SETTINGS_SCHEMA=" + filepath.Join(scratch, "schema.json"), "LOGINS_PER_MINUTE=100000",
		"ACCESS_TOKEN_TTL=24h", "FRAMES_PER_SECOND=10000", "FRAME_BURST=100000", "FRAME_EXCESS=1000000",
		"MAX_SESSIONS_PER_DEVICE=1000", "PING_INTERVAL=300ms", "PONG_TIMEOUT=10s", "WRITE_TIMEOUT=10s",
		"MAX_BYTES_PER_USER=67108864", "MAX_DEVICES_PER_USER=1000",
		"HISTORY_KEEP_COUNT=10000000", // the oracles need all of it
	}
}

// signingKey is what the nodes of a cluster share. No log may show it.
var signingKey = rand.Text() + rand.Text()

// template is a data directory with registered devices that have joined the
// user. Passwords are slow on purpose, so it is made once and copied.
var template = sync.OnceValues(func() (*world, error) {
	w := &world{dir: filepath.Join(scratch, "template")}
	var err error
	w.devices, err = populate(context.Background(), w.dir, []string{user})
	return w, err
})

type world struct {
	dir     string
	devices []Device
}

// populate runs a server for as long as it takes to register the devices and
// let each of them join the users.
func populate(ctx context.Context, dir string, users []string, env ...string) (all []Device, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	binary, err := builder.Binary()
	if err != nil {
		return nil, err
	}
	p := &Process{Binary: binary, Dir: dir, Env: append(roomy(), env...), Log: &Log{}}
	if err := p.Start(ctx); err != nil {
		return nil, err
	}
	for n := range devices {
		d, err := newcomer(ctx, p.Addr(), fmt.Sprintf("Device.%d", n), users, n == 0)
		if err != nil {
			return nil, fmt.Errorf("%w (%w)", err, p.Kill())
		}
		all = append(all, d)
	}
	return all, p.Stop(ctx)
}

// newcomer registers a device, which makes the users or joins them.
func newcomer(ctx context.Context, addr, name string, users []string, first bool) (Device, error) {
	d, err := Register(ctx, addr, "anna@example.org", name)
	for _, u := range users {
		switch {
		case err != nil:
		case first:
			err = d.Connect(ctx, addr, u)
		default:
			err = d.Join(ctx, addr, u)
		}
	}
	return d, err
}
