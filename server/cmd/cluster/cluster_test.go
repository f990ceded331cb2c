package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// standIn makes this test program a node, where the real one would say too
// little: it tells what it was started with.
const standIn = "CLUSTER_TEST_NODE"

func TestMain(m *testing.M) {
	if os.Getenv(standIn) != "" {
		os.Exit(serveStandIn())
	}
	goleak.VerifyTestMain(m)
}

// serveStandIn prints its address as the server does, and answers with a word of
// its environment until it is told to stop.
func serveStandIn() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", os.Getenv("LISTEN_ADDR"))
	if err != nil {
		return 1
	}
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, os.Getenv(r.URL.Query().Get("variable")))
	})}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	fmt.Printf("a line of its log\nSocial server is ready at http://%s\n", listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return 1
	}
	return 0
}

// running is a cluster in this process, as main runs it.
type running struct {
	t       *testing.T
	within  string
	out     *printed
	log     *printed
	stop    context.CancelFunc
	done    chan error
	stopped bool
}

// printed collects lines and lets a test wait for one.
type printed struct {
	t     *testing.T
	mu    sync.Mutex // guards the following
	more  *sync.Cond
	text  bytes.Buffer
	ended bool
}

func newPrinted(t *testing.T) *printed {
	p := &printed{t: t}
	p.more = sync.NewCond(&p.mu)
	return p
}

// end tells that nothing more is printed.
func (p *printed) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.more.Broadcast()
}

func (p *printed) Write(data []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.more.Broadcast()
	return p.text.Write(data)
}

// find waits for a line and returns what the pattern finds in it.
func (p *printed) find(pattern string) []string {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if m := regexp.MustCompile(`(?m)^` + pattern + `$`).FindStringSubmatch(p.text.String()); m != nil {
			return m
		}
		if p.ended {
			p.t.Fatalf("no line %q in\n%s", pattern, &p.text)
		}
		p.more.Wait()
	}
}

func start(t *testing.T, server string) *running {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	c := &running{t: t, within: t.TempDir(), out: newPrinted(t), log: newPrinted(t), stop: stop, done: make(chan error, 1)}
	go func() {
		err := run(ctx, func() {}, options{server: server, count: 2, within: c.within}, c.out, c.log)
		if err != nil {
			fmt.Fprintln(c.out, err)
		}
		c.out.end()
		c.log.end()
		c.done <- err
	}()
	t.Cleanup(c.end)
	c.out.find("ready")
	return c
}

// end stops the cluster; nothing may be left of it.
func (c *running) end() {
	if c.stopped {
		return
	}
	c.stopped = true
	c.stop()
	if err := <-c.done; err != nil {
		c.t.Errorf("%v\n%s", err, &c.log.text)
	}
	if left, err := os.ReadDir(c.within); err != nil || len(left) > 0 {
		c.t.Errorf("left behind: %v %v", left, err)
	}
}

// get asks the load balancer, or another address.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// A cluster says where everything is, survives a killed node without one failed
// request, says that it died, and leaves nothing behind.
func TestCluster(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(standIn, "1")
	c := start(t, self)
	balancer := c.out.find(`balancer (http://localhost:\d+)`)[1]
	one, two := c.out.find(`node-1 (http://\S+) pid (\d+)`), c.out.find(`node-2 (http://\S+) pid (\d+)`)
	c.log.find(`node-2 \| a line of its log`)

	variable := func(url, name string) string { _, text := get(t, url+"/?variable="+name); return text }
	for name, want := range map[string]string{
		"DATABASE_URL": c.out.find(`postgres (\S+)`)[1], "REDIS_URL": c.out.find(`redis (\S+)`)[1], "TRUSTED_PROXIES": "127.0.0.1",
	} {
		if got := variable(one[1], name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if a, b := variable(one[1], "JWT_SECRET"), variable(two[1], "JWT_SECRET"); a != b || len(a) < 32 {
		t.Error("the nodes have no key in common")
	}
	if variable(one[1], "DATA_DIR") == variable(two[1], "DATA_DIR") {
		t.Error("the nodes share a folder")
	}
	kill(t, one[2])
	c.out.find(`node-1 died: signal: killed`)
	for i := range 50 {
		if status, text := get(t, balancer); status != 200 {
			t.Fatalf("request %d after node 1 died: %d %s", i, status, text)
		}
	}
	c.end()
	if status, _ := get(t, two[1]); status != 0 {
		t.Error("node 2 still answers")
	}
	if strings.Contains(c.out.text.String(), "node-2 died") {
		t.Error("a node that was stopped is said to have died")
	}
}

func kill(t *testing.T, pid string) {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(n, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// What makes a start impossible is said, and what was started is stopped again.
func TestImpossibleStarts(t *testing.T) {
	within := t.TempDir()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // of a TCP listener
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(standIn, "1")
	ends, err := exec.LookPath("false")
	if err != nil {
		t.Fatal(err)
	}
	for want, o := range map[string]options{
		"make build":             {server: filepath.Join(t.TempDir(), "none"), count: 2},
		"node-1 ended at start":  {server: ends, count: 2},
		"address already in use": {server: self, count: 1, port: port},
	} {
		o.within = within
		if err := run(t.Context(), func() {}, o, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if left, err := os.ReadDir(within); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// build makes the program that the cluster is there for.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "social-server")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../..")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	return program
}

// send sends JSON and returns the answer, which must have the status.
func send(t *testing.T, method, url, token, body string, status int) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != status {
		t.Fatalf("%s %s: %s %s %v", method, url, answer.Status, text, err)
	}
	return string(text)
}

// The real nodes behind the balancer are one server, and what was stored through
// it is there when a node is killed.
func TestClusterOfRealNodes(t *testing.T) {
	c := start(t, build(t))
	at := c.out.find(`balancer (http://localhost:\d+)`)[1] + "/api/v1"
	send(t, "POST", at+"/register", "", `{"deviceName":"Chrome.test6","email":"anna@example.org","password":"correct horse"}`, 201)
	grant := send(t, "POST", at+"/login", "", `{"deviceName":"Chrome.test6","password":"correct horse"}`, 200)
	token := regexp.MustCompile(`"accessToken":"([^"]+)"`).FindStringSubmatch(grant)[1]
	send(t, "POST", at+"/users", token, `{"username":"TestUser6"}`, 201)
	for i := range 10 {
		send(t, "PATCH", at+"/users/TestUser6/settings", token, fmt.Sprintf(`{"billing":{"salary":%d}}`, i), 200)
	}
	kill(t, c.out.find(`node-1 \S+ pid (\d+)`)[1])
	c.out.find(`node-1 died: signal: killed`)
	if text := send(t, "GET", at+"/users/TestUser6/settings", token, "", 200); !strings.Contains(text, `"salary":9`) {
		t.Error(text)
	}
}
