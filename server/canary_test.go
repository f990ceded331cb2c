package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// TestNoSecretIsEverShown runs a whole life at debug level with secrets that can
// be recognised, and looks for them in the log, the metrics, the profiles and
// what the program prints (SEC-44, SEC-46).
func TestNoSecretIsEverShown(t *testing.T) {
	const (
		canary = "canary9"
		key    = canary + "-key-Zk3v9QpXw7Lr2TnB8sYc5HdJ6mFg4Aey"
		former = canary + "-former-Qe7Rt1Yu5Io9Pa3Sd8Fg2Hj6Kl4Zx0Cv"
		first  = canary + " first password"
		second = canary + " second password"
		value  = canary + " value"
	)
	data := filepath.Join(t.TempDir(), "data")
	keyFile := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(keyFile, []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runServer(t, data, "LOG_LEVEL=debug", "JWT_SECRET_FILE="+keyFile, "JWT_SECRET_PREVIOUS="+former,
		"METRICS_ADDR=127.0.0.1:0", "LOGINS_PER_MINUTE=1000")
	api := r.url + "/api/v1"
	member := func(text, name string) string {
		return strings.Split(strings.SplitAfter(text, `"`+name+`":"`)[1], `"`)[0]
	}
	body := func(pairs ...any) string { return fmt.Sprintf(`{"deviceName":%q,"password":%q}`, pairs...) }

	post(t, api+"/register", "", fmt.Sprintf(`{"deviceName":"laptop","email":"anna@example.org","password":%q}`, first), 201)
	grant := post(t, api+"/login", "", body("laptop", first), 200)
	access, refresh := member(grant, "accessToken"), member(grant, "refreshToken")
	post(t, api+"/login", "", body("laptop", canary+" guess"), 401)
	post(t, api+"/login?token="+canary, "", `{"password":"`+canary+`"`, 400)
	post(t, api+"/refresh", "", `{"refreshToken":"l_x.`+canary+`"}`, 401)
	post(t, api+"/users", access+canary, `{"username":"x"}`, 401)
	post(t, api+"/users", access, `{"username":"TestUser6"}`, 201)
	post(t, api+"/password", access, fmt.Sprintf(`{"current":%q,"new":%q}`, canary+" wrong", second), 403)
	post(t, api+"/password", access, fmt.Sprintf(`{"current":%q,"new":%q}`, first, second), 204)
	grant = post(t, api+"/refresh", "", fmt.Sprintf(`{"refreshToken":%q}`, refresh), 200)
	access, refreshed := member(grant, "accessToken"), member(grant, "refreshToken")
	liveWithSecrets(t, r.url, access, value)

	var printed output
	if err := run(t.Context(), func() {}, []string{"admin", "reset-code", "laptop"}, []string{"DATA_DIR=" + data}, &printed); err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`[A-Z2-7]{4}(-[A-Z2-7]{4}){3}`).FindString(printed.String())
	post(t, api+"/reset", "", fmt.Sprintf(`{"code":%q,"password":%q}`, code, first), 204)
	post(t, api+"/reset", "", fmt.Sprintf(`{"code":%q,"password":%q}`, code, second), 401)
	inside := insides(t, r.out.String())
	r.end(t)

	shown := map[string]string{"the log": r.out.String(), "metrics and profiles": inside}
	secrets := map[string]string{
		"a canary": canary, "an access token": access, "its signature": access[strings.LastIndex(access, ".")+1:],
		"a refresh token": refresh[strings.Index(refresh, ".")+1:], "its successor": refreshed[strings.Index(refreshed, ".")+1:],
		"a reset code": code, "a hash": "$argon2",
	}
	for where, text := range shown {
		for what, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows %s", where, what)
			}
		}
	}
	if !strings.Contains(r.out.String(), "route=/api/v1/password") {
		t.Errorf("the log does not show what was done: %s", r.out)
	}
}

// liveWithSecrets opens a session and sends frames that are good, bad and none.
func liveWithSecrets(t *testing.T, url, access, value string) {
	t.Helper()
	for _, frames := range [][]string{
		{`{"type":"patch","id":"p","set":{"user":{"username":"` + value + `"}}}`, `{"type":"preview","set":{"user":{"username":"` + value + `"}}}`},
		{`{"type":"patch","id":"q","set":{"user":{"email":"` + value + `"}}}`, `{"type":"shout","text":"` + value + `"}`},
		{`{"type":"auth","token":"` + value + `"}`}, {value},
	} {
		ws, _, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(url, "http")+"/api/v1/users/TestUser6/ws", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, frame := range append(append([]string{`{"type":"hello","token":"` + access + `"}`}, frames...), `{"type":"end"}`) {
			if ws.WriteMessage(websocket.TextMessage, []byte(frame)) != nil {
				break // closed already
			}
		}
		for err == nil {
			_, _, err = ws.ReadMessage()
		}
		ws.Close()
	}
}

// insides returns what the listener of metrics shows; its address is in the log.
func insides(t *testing.T, log string) string {
	t.Helper()
	at := regexp.MustCompile(`(?m)metrics.*?(127\.0\.0\.1:\d+)`).FindStringSubmatch(log)
	if at == nil {
		t.Fatalf("the log does not say where metrics are: %s", log)
	}
	var all strings.Builder
	for _, path := range []string{"/metrics", "/debug/pprof/goroutine?debug=2", "/debug/pprof/cmdline"} {
		answer, err := http.Get("http://" + at[1] + path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&all, answer.Body); err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
	}
	return all.String()
}
