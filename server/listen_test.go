package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"social-server/internal/backing"
)

// loopbacks are the loopback addresses of this machine.
func loopbacks(t *testing.T) (all []string) {
	t.Helper()
	for _, ip := range []string{"127.0.0.1", "::1"} {
		if l, err := net.Listen("tcp", net.JoinHostPort(ip, "0")); err == nil {
			all = append(all, ip)
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return all
}

// freePort is a port that is free on every loopback address.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		port, err := backing.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		listeners, err := listen("LISTEN_ADDR", fmt.Sprint("localhost:", port)) // on ::1 too
		if err == nil && closeAll(listeners) == nil {
			return strconv.Itoa(port)
		}
	}
	t.Fatal("no port is free on both loopback addresses")
	return ""
}

// Fault C2: localhost was one of its two addresses, and proxies took the other.
func TestLocalhostIsBothLoopbackAddresses(t *testing.T) {
	metrics := freePort(t)
	r := runServer(t, filepath.Join(t.TempDir(), "data"), "LISTEN_ADDR=LocalHost:0", "METRICS_ADDR=localhost:"+metrics)
	defer r.end(t)
	port := r.url[strings.LastIndexByte(r.url, ':')+1:]
	for _, ip := range loopbacks(t) {
		if status, text := get(t, "http://"+net.JoinHostPort(ip, port)+"/readyz"); status != 200 {
			t.Errorf("%s: %d %s", ip, status, text)
		}
		if status, _ := get(t, "http://"+net.JoinHostPort(ip, metrics)+"/metrics"); status != 200 {
			t.Errorf("metrics on %s: %d", ip, status)
		}
	}
	env := []string{"LISTEN_ADDR=localhost:" + port}
	if err := run(t.Context(), func() {}, []string{"healthcheck"}, env, r.out); err != nil {
		t.Error(err)
	}
}

// Fault C2: a port that another program has on one of the two is refused, and
// the reason names the address. Nothing stays open.
func TestOneLoopbackAddressIsTaken(t *testing.T) {
	for _, ip := range loopbacks(t) {
		taken, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(taken.Addr().String())
		for _, variable := range []string{"LISTEN_ADDR", "METRICS_ADDR"} {
			_, err = listen(variable, "localhost:"+port)
			if want := variable + ": " + taken.Addr().String() + " is taken by another program"; err == nil || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
		}
		if err := taken.Close(); err != nil {
			t.Fatal(err)
		}
		listeners, err := listen("LISTEN_ADDR", "localhost:"+port)
		if err != nil {
			t.Errorf("a refused start left something open: %v", err)
		}
		if err := closeAll(listeners); err != nil {
			t.Error(err)
		}
	}
}

// readmeBlock is the code block of the README that holds some text.
func readmeBlock(t *testing.T, holds string) string {
	t.Helper()
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```text\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		if strings.Contains(block[1], holds) {
			return block[1]
		}
	}
	t.Fatalf("the README has no block with %q", holds)
	return ""
}

// readme is read where the tests of this package start.
var readme, _ = filepath.Abs("../README.md")

// Fault C2: behind nginx with the README's lines, 502 for ten seconds after
// every restart of the server.
func TestRestartBehindTheReadmesNginx(t *testing.T) {
	location := readmeBlock(t, "proxy_pass")
	if strings.Contains(location+readmeBlock(t, "reverse_proxy"), "localhost") {
		t.Error("the README's proxies resolve localhost")
	}
	data := filepath.Join(t.TempDir(), "data")
	listen := "LISTEN_ADDR=localhost:" + freePort(t)
	p := &patient{running: runServer(t, data, listen, "TRUSTED_PROXIES=127.0.0.1,::1")}
	location = strings.Replace(location, ":3000", p.port(), 1)
	at := p.nginx(t, func(home string, port int) (string, error) {
		return fmt.Sprintf(bareNginx, home, port, location), nil
	})
	if status, text := get(t, at+"/readyz"); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	p.end(t)
	for range 3 { // whoever asks meanwhile makes nginx give up an address
		if status, _ := get(t, at+"/readyz"); status != http.StatusBadGateway {
			t.Errorf("%d without a server", status)
		}
	}
	again := runServer(t, data, listen, "TRUSTED_PROXIES=127.0.0.1,::1")
	defer again.end(t)
	began := time.Now()
	if status, _ := get(t, at+"/readyz"); status != http.StatusOK {
		t.Errorf("%d, %v after the server was ready", status, time.Since(began))
	}
}

// Fault C1: nginx weakens the ETag of what it compresses. What was read through
// it can be the condition of a change through it.
func TestVersionThroughNginxThatCompresses(t *testing.T) {
	p := newPatient(t, "TRUSTED_PROXIES=127.0.0.1")
	at := p.nginx(t, p.bare("gzip on; gzip_types application/json; gzip_min_length 1;"))
	token := signUp(t, at, at, "Chrome.test6")
	post(t, at+"/api/v1/users", token, `{"username":"TestUser6"}`, http.StatusCreated)
	send := func(method, body, tag string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, at+"/api/v1/users/TestUser6/settings", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}, "Accept-Encoding": {"gzip"}}
		if tag != "" {
			r.Header.Set(map[string]string{"GET": "If-None-Match", "PATCH": "If-Match"}[method], tag)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil {
			t.Fatal(err)
		}
		return answer
	}
	tag := send("GET", "", "").Header.Get("ETag")
	if !strings.HasPrefix(tag, "W/") {
		t.Fatalf("nginx left the ETag %s as it is, so this shows nothing", tag)
	}
	if answer := send("GET", "", tag); answer.StatusCode != http.StatusNotModified {
		t.Errorf("read again: %s", answer.Status)
	}
	if answer := send("PATCH", `{"billing":{"salary":1}}`, tag); answer.StatusCode != http.StatusOK {
		t.Errorf("changed: %s", answer.Status)
	}
	if answer := send("PATCH", `{"billing":{"salary":2}}`, tag); answer.StatusCode != http.StatusPreconditionFailed {
		t.Errorf("changed again: %s", answer.Status)
	}
}
