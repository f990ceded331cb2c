package faults

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

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
	code := m.Run()
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

// template is a data directory with registered devices that have joined the
// user. Passwords are slow on purpose, so it is made once and copied.
var template = sync.OnceValues(func() (*world, error) {
	ctx := context.Background()
	w := &world{dir: filepath.Join(scratch, "template")}
	if err := writeSchema(filepath.Join(scratch, "schema.json")); err != nil {
		return nil, err
	}
	if err := os.Mkdir(w.dir, 0o700); err != nil {
		return nil, err
	}
	binary, err := builder.Binary()
	if err != nil {
		return nil, err
	}
	p := &Process{Binary: binary, Dir: w.dir, Env: roomy(), Log: &Log{}}
	if err := p.Start(ctx); err != nil {
		return nil, err
	}
	for n := range devices {
		d, err := Register(ctx, p.Addr(), "anna@example.org", fmt.Sprintf("Device.%d", n))
		if err == nil && n == 0 {
			err = d.Connect(ctx, p.Addr(), user)
		} else if err == nil {
			err = d.Join(ctx, p.Addr(), user)
		}
		if err != nil {
			return nil, fmt.Errorf("%w (%w)", err, p.Kill())
		}
		w.devices = append(w.devices, d)
	}
	return w, p.Stop(ctx)
})

type world struct {
	dir     string
	devices []Device
}

// rig is one test's server, with what judges it in the end.
type rig struct {
	*testing.T
	*Process
	Devices []Device
	Ledger  *Ledger
	clients []*Client
	files   string // where the data is seen from here, if not in Dir
}

// newRig copies the template and starts a server on it. env is added to roomy's.
func newRig(t *testing.T, env ...string) *rig {
	t.Helper()
	r := newStoppedRig(t, env...)
	r.start()
	return r
}

func newStoppedRig(t *testing.T, env ...string) *rig {
	t.Helper()
	w, err := template()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := builder.Binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "data")
	if err := copyData(dir, w.dir); err != nil {
		t.Fatal(err)
	}
	ledger, err := NewLedger(filepath.Join(t.TempDir(), "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{T: t, Devices: w.devices, Ledger: ledger, Process: &Process{
		Binary: binary, Dir: dir, Env: append(roomy(), env...), Log: &Log{},
	}}
	t.Cleanup(r.cleanup)
	return r
}

// copyData copies a data directory, which only its owner may read.
func copyData(to, from string) error {
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	files, err := os.ReadDir(from)
	for _, f := range files {
		var data []byte
		if data, err = os.ReadFile(filepath.Join(from, f.Name())); err == nil {
			err = os.WriteFile(filepath.Join(to, f.Name()), data, 0o600)
		}
		if err != nil {
			break
		}
	}
	return err
}

func (r *rig) cleanup() {
	for _, c := range r.clients {
		c.Close()
	}
	if err := r.Kill(); err != nil {
		r.Error(err)
	}
	if err := r.Ledger.Close(); err != nil {
		r.Error(err)
	}
	var secrets []string
	for _, d := range r.Devices {
		secrets = append(secrets, d.Token)
	}
	r.none("log (O5)", CheckLog(r.Log.String(), secrets))
}

func (r *rig) start() {
	r.Helper()
	r.ok(r.Start(r.Context()))
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// none fails the test if an oracle found something.
func (r *rig) none(oracle string, wrong []string) {
	r.Helper()
	for i, text := range wrong {
		if i == 10 {
			r.Errorf("%s: and %d more", oracle, len(wrong)-10)
			return
		}
		r.Errorf("%s: %s", oracle, text)
	}
}

// client connects a device, through target if one is given.
func (r *rig) client(n int, change ...func(*Options)) *Client {
	o := Options{User: user, Target: r.Addr, Ledger: r.Ledger}
	for _, f := range change {
		f(&o)
	}
	c := NewClient(context.Background(), r.Devices[n%len(r.Devices)], o)
	r.clients = append(r.clients, c)
	return c
}

func (r *rig) through(p *Proxy) func(*Options) { return func(o *Options) { o.Target = p.Addr } }

// proxy starts a proxy to the server, closed when the test ends.
func (r *rig) proxy() *Proxy {
	r.Helper()
	p, err := NewProxy(r.Addr)
	r.ok(err)
	r.Cleanup(p.Close)
	return p
}

// live waits until every client is connected and ready.
func (r *rig) live(clients ...*Client) {
	r.Helper()
	for _, c := range clients {
		r.ok(c.Await(r.Context(), 15*time.Second, func(*Replica) bool { return true }))
	}
}

// put stores one value and fails the test if it is not stored.
func (r *rig) put(c *Client, key, text string) *Patch {
	r.Helper()
	return r.acked(c.Patch(one(key, text), nil))
}

func (r *rig) acked(p *Patch) *Patch {
	r.Helper()
	r.answered(p)
	if !p.Acked {
		r.Fatalf("patch %s was refused: %s", p.ID, p.Code)
	}
	return p
}

// patient is how long an answer may take on a machine that does other things too.
const patient = 20 * time.Second

func (r *rig) answered(p *Patch) {
	r.Helper()
	timeout := time.NewTimer(patient)
	defer timeout.Stop()
	select {
	case <-p.Done:
	case <-timeout.C:
		r.Fatalf("no answer to patch %s in %v", p.ID, patient)
	}
}

// dataDir returns a folder where SQLite can open the database. It resolves links
// by itself, and so would not find another mount namespace's files: of those it
// gets a copy.
func (r *rig) dataDir() string {
	r.Helper()
	if r.files == "" {
		return r.Dir
	}
	copied := filepath.Join(r.TempDir(), "copy")
	r.ok(os.MkdirAll(copied, 0o700))
	for _, name := range []string{databaseFile, databaseFile + "-wal"} {
		data, err := os.ReadFile(filepath.Join(r.files, name))
		r.ok(err)
		r.ok(os.WriteFile(filepath.Join(copied, name), data, 0o600))
	}
	return copied
}

// rows reads what the database holds of the user.
func (r *rig) rows() *UserRows {
	r.Helper()
	rows, err := ReadUser(context.Background(), r.dataDir(), user)
	r.ok(err)
	return rows
}

// converged waits until every client has the database's digest (O2), and
// returns how long that took.
func (r *rig) converged(within time.Duration, clients ...*Client) time.Duration {
	r.Helper()
	want := r.rows()
	begin := time.Now()
	for _, c := range clients {
		err := c.Await(r.Context(), within-time.Since(begin), func(s *Replica) bool {
			return s.Epoch == want.Epoch && s.Revision >= want.Revision
		})
		if err != nil {
			r.Errorf("not converged within %v: %v; the database is at %d", within, err, want.Revision)
			continue
		}
		state := c.State()
		if state.Revision == want.Revision && state.Digest() != want.Digest() {
			r.Errorf("%s ended with digest %s, the database with %s\n%s\n%s", c.Name, state.Digest(), want.Digest(),
				show(state.Values), show(want.Settings))
		}
	}
	return time.Since(begin)
}

// judge closes the clients and holds everything that happened against the database.
func (r *rig) judge() *UserRows {
	r.Helper()
	rows, wrong := r.findings()
	r.none("judge", wrong)
	return rows
}

// findings closes the clients and returns what the oracles find.
func (r *rig) findings() (rows *UserRows, wrong []string) {
	r.Helper()
	for _, c := range r.clients {
		c.Close()
	}
	rows = r.rows()
	note := func(oracle string, list []string) {
		for _, text := range list {
			wrong = append(wrong, oracle+": "+text)
		}
	}
	note("ledger (O1)", r.Ledger.Check(rows))
	note("history (I1, I3, I4)", CheckHistory(rows, false))
	note("order (I2)", CheckOrder(r.Ledger.Patches()))
	for _, c := range r.clients {
		note(c.Name+" stream (O3)", c.Seen().Faults)
		note("replay (I7, I8)", CheckStream(c.Name, c.Seen().Frames, rows))
		if state := c.Seen(); state.Epoch == rows.Epoch && state.Revision == rows.Revision && state.Digest() != rows.Digest() {
			note("digest (O2)", []string{c.Name + " has " + show(state.Values) + ", the database " + show(rows.Settings)})
		}
	}
	word, err := Integrity(context.Background(), r.dataDir())
	r.ok(err)
	if word != "ok" {
		note("integrity_check", []string{word})
	}
	return rows, wrong
}
