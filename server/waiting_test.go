package main

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Fault E1: requests that wait when the server stops.
// [SPEC W3] They are answered 503 at once, and do not hold the stop up.
func TestStopEndsRequestsThatWait(t *testing.T) {
	r := runServer(t, filepath.Join(t.TempDir(), "data"), "REGISTRATION=open")
	root := r.url + "/api/v1"
	device := func(name, email string) (token string) {
		post(t, root+"/register", "", `{"deviceName":"`+name+`","email":"`+email+`","password":"correct horse"}`, 201)
		grant := post(t, root+"/login", "", `{"deviceName":"`+name+`","password":"correct horse"}`, 200)
		return between(t, grant, `"accessToken":"`)
	}
	anna, bob := device("Chrome", "anna@example.org"), device("Firefox", "bob@example.org")
	post(t, root+"/users", anna, `{"username":"TestUser6"}`, 201)
	ask := between(t, post(t, root+"/users/TestUser6/join", bob, "", 202), `"id":"`)
	_, settings, err := getAs(t.Context(), root+"/users/TestUser6/settings", anna)
	if err != nil {
		t.Fatal(err)
	}
	epoch := between(t, settings, `"epoch":"`)
	const most = 8
	kinds := map[string]struct{ url, token string }{
		"long-poll": {root + "/users/TestUser6/settings?wait=60&since=" + epoch + ".0", anna},
		"ask":       {root + "/asks/" + ask + "?wait=60", bob},
	}
	answers := map[string]chan int{}
	for kind, request := range kinds {
		answers[kind] = make(chan int)
		for range most + 1 {
			go func() {
				status, _, err := getAs(t.Context(), request.url, request.token)
				if err != nil {
					t.Error(err)
				}
				answers[kind] <- status
			}()
		}
	}
	for kind := range kinds { // one too many of each: the others wait
		if status := <-answers[kind]; status != 409 {
			t.Fatalf("%s: one too many is answered %d", kind, status)
		}
	}
	began := time.Now()
	r.stop()
	for kind := range kinds {
		for range most {
			if status := <-answers[kind]; status != 503 {
				t.Errorf("%s: answered %d", kind, status)
			}
		}
	}
	r.end(t)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the stop took %v", took)
	}
}

// between returns what is in text from a mark up to the next quote.
func between(t *testing.T, text, mark string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, mark)
	if !ok {
		t.Fatalf("no %s in %s", mark, text)
	}
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

// Fault E2: responses that nobody reads, with and without TLS.
// [SPEC W2] The connection ends: a peer that goes on sending is refused, and not left to wait.
func TestProgramEndsWhatNobodyReads(t *testing.T) {
	cert, key := writeCertificate(t, "sync.example.org")
	for name, env := range map[string][]string{"plain": nil, "TLS": {"TLS_CERT_FILE=" + cert, "TLS_KEY_FILE=" + key}} {
		t.Run(name, func(t *testing.T) {
			r := runServer(t, filepath.Join(t.TempDir(), "data"), append(env, "WRITE_TIMEOUT=300ms")...)
			defer r.end(t)
			_, address, _ := strings.Cut(r.url, "://")
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			if name == "TLS" {
				conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) // #nosec G402 -- its own, made above
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			for err == nil {
				_, err = io.WriteString(conn, "GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
			}
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("it is open after 20 seconds")
			}
		})
	}
}
