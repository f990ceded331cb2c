package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"social-server/internal/api"
	"social-server/internal/cluster"
)

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" { // see process
		main()
		return
	}
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

// output collects what the program prints and tells when it is ready.
type output struct {
	mu    sync.Mutex
	text  bytes.Buffer
	ready chan string // the address
}

var readyLine = regexp.MustCompile(`is ready at (\S+)`)

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	if m := readyLine.FindSubmatch(p); m != nil {
		o.ready <- string(m[1])
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// running is a program in this process, as main runs it.
type running struct {
	url  string
	out  *output
	stop context.CancelFunc
	done chan error
}

func runServer(t *testing.T, data string, env ...string) *running {
	t.Helper()
	t.Chdir(t.TempDir()) // no .env of anybody's
	ctx, stop := context.WithCancel(t.Context())
	r := &running{out: &output{ready: make(chan string, 1)}, stop: stop, done: make(chan error, 1)}
	environ := append([]string{"LISTEN_ADDR=127.0.0.1:0", "DATA_DIR=" + data}, env...)
	go func() { r.done <- run(ctx, func() {}, nil, environ, r.out) }()
	select {
	case r.url = <-r.out.ready:
	case err := <-r.done:
		t.Fatalf("ended before it was ready: %v\n%s", err, r.out)
	}
	t.Cleanup(stop)
	return r
}

func (r *running) end(t *testing.T) {
	t.Helper()
	r.stop()
	if err := <-r.done; err != nil {
		t.Errorf("stopped with %v\n%s", err, r.out)
	}
}

func post(t *testing.T, url, token, body string, status int) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(answer.Body); err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != status {
		t.Fatalf("POST %s: %d %s", url, answer.StatusCode, &text)
	}
	return text.String()
}

// A first run makes what it needs, for its owner alone; a second one has it all
// again, the signing key too: who was logged in still is.
func TestFirstAndSecondRun(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	first := runServer(t, data)
	if !strings.Contains(first.out.String(), data) {
		t.Errorf("it does not say where its data is: %s", first.out)
	}
	const device = `{"deviceName":"Chrome.test6","email":"anna@example.org","password":"correct horse"}`
	post(t, first.url+"/api/v1/register", "", device, 201)
	grant := post(t, first.url+"/api/v1/login", "", `{"deviceName":"Chrome.test6","password":"correct horse"}`, 200)
	token := strings.Split(strings.SplitAfter(grant, `"accessToken":"`)[1], `"`)[0]
	post(t, first.url+"/api/v1/users", token, `{"username":"TestUser6"}`, 201)
	first.end(t)
	checkPrivate(t, data)

	second := runServer(t, data)
	post(t, second.url+"/api/v1/users", token, `{"username":"TestUser6"}`, 409) // still there, and the token still good
	second.end(t)
	if strings.Contains(first.out.String()+second.out.String(), token) || strings.Contains(first.out.String(), "correct horse") {
		t.Error("a secret was logged")
	}
}

func checkPrivate(t *testing.T, data string) {
	t.Helper()
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %04o, want %04o", path, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// What makes a start impossible is said in one line that names the variable, at once.
func TestImpossibleStarts(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	good := []string{"LISTEN_ADDR=127.0.0.1:0", "DATA_DIR=" + filepath.Join(t.TempDir(), "data")}
	for name, tt := range map[string]struct{ variable, value string }{
		"port taken":      {"LISTEN_ADDR", taken.Addr().String()},
		"no such host":    {"LISTEN_ADDR", "256.1.1.1:80"},
		"data is a file":  {"DATA_DIR", file},
		"below a file":    {"DATA_DIR", file + "/data"},
		"a bad number":    {"FRAME_BURST", "many"},
		"a bad schema":    {"SETTINGS_SCHEMA", file},
		"a short secret":  {"JWT_SECRET", "secret"},
		"a bad log level": {"LOG_LEVEL", "loud"},
	} {
		t.Run(name, func(t *testing.T) {
			var out output
			began := time.Now()
			err := run(t.Context(), func() {}, nil, append(good, tt.variable+"="+tt.value), &out)
			if err == nil || !strings.HasPrefix(err.Error(), tt.variable) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line about %s", err, tt.variable)
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("said so after %v", took)
			}
		})
	}
}

// healthcheck asks the server that the same environment describes.
func TestHealthcheck(t *testing.T) {
	r := runServer(t, filepath.Join(t.TempDir(), "data"))
	env := []string{"LISTEN_ADDR=" + strings.TrimPrefix(r.url, "http://")}
	if err := run(t.Context(), func() {}, []string{"healthcheck"}, env, r.out); err != nil {
		t.Error(err)
	}
	r.end(t)
	if err := run(t.Context(), func() {}, []string{"healthcheck"}, env, r.out); err == nil {
		t.Error("healthy after it has ended")
	}
}

// Metrics are on a listener of their own, and not on the public one (SEC-46).
func TestMetrics(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	r := runServer(t, filepath.Join(t.TempDir(), "data"), "METRICS_ADDR="+addr)
	defer r.end(t)
	status, text := get(t, "http://"+addr+"/metrics")
	if status != 200 || !strings.Contains(text, "\nsocial_sessions 0") || !strings.Contains(text, `version="dev"`) {
		t.Errorf("%d %s", status, text)
	}
	for _, event := range cluster.Counters() {
		if !strings.Contains(text, fmt.Sprintf("social_relay_events_total{event=%q} 0", event)) {
			t.Errorf("the event %s is not among the metrics", event)
		}
	}
	if !strings.Contains(text, `social_pool_connections_max{pool="write"} 1`) {
		t.Error("the database's pools are not among the metrics")
	}
	for _, limiter := range api.Limiters() {
		if !strings.Contains(text, fmt.Sprintf("social_limited_total{limiter=%q} 0", limiter)) {
			t.Errorf("the limiter %s is not among the metrics", limiter)
		}
	}
	for _, path := range []string{"/metrics", "/debug/pprof/"} {
		if status, text := get(t, r.url+path); strings.Contains(text, "goroutine") || status == 200 && strings.Contains(text, "social_sessions") {
			t.Errorf("%s is public: %d", path, status)
		}
	}
}

func get(t *testing.T, url string) (status int, text string) {
	t.Helper()
	status, text, err := getAs(t.Context(), url, "")
	if err != nil {
		t.Fatal(err)
	}
	return status, text
}

// getAs asks for an address with an access token.
func getAs(ctx context.Context, url, token string) (status int, text string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	var body bytes.Buffer
	_, err = body.ReadFrom(answer.Body)
	return answer.StatusCode, body.String(), err
}

func TestCommands(t *testing.T) {
	t.Chdir(t.TempDir())
	var out output
	if err := run(t.Context(), func() {}, []string{"version"}, nil, &out); err != nil || out.String() != version+"\n" {
		t.Errorf("version: %v %q", err, out.String())
	}
	for _, args := range [][]string{{"dance"}, {"version", "now"}} {
		if err := run(t.Context(), func() {}, args, nil, &out); err == nil {
			t.Errorf("%v was accepted", args)
		}
	}
}

// The address that is printed is one a browser on this machine can open.
func TestAddress(t *testing.T) {
	for listen, want := range map[string]string{
		"127.0.0.1:3000": "http://localhost:3000", "[::]:80": "http://localhost:80", ":3000": "http://localhost:3000",
		"[::1]:3000": "http://localhost:3000", "192.168.1.5:3000": "http://192.168.1.5:3000", "[fd00::1]:3000": "http://[fd00::1]:3000",
	} {
		if got := address(listen); got != want {
			t.Errorf("%s: %s, want %s", listen, got, want)
		}
	}
}

// A request without end, or a head without end, is cut off: nobody holds a connection by being slow.
func TestSlowHeadIsCutOff(t *testing.T) {
	r := runServer(t, filepath.Join(t.TempDir(), "data"))
	defer r.end(t)
	conn, err := net.Dial("tcp", strings.Replace(strings.TrimPrefix(r.url, "http://"), "localhost", "127.0.0.1", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 512)
	for err == nil {
		_, err = conn.Read(buffer)
	}
	if ne, ok := err.(net.Error); ok && ne.Timeout() {
		t.Error("still open after ten seconds")
	}
}
