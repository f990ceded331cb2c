package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// Fault D6: a schema file that the server cannot obey, or whose keys cannot all be
// set. The start is refused in one line with the reason and the place.
func TestSchemasThatStopTheStart(t *testing.T) {
	var many strings.Builder
	for n := range 513 {
		fmt.Fprintf(&many, `,"k%d":{"default":0}`, n)
	}
	for name, tt := range map[string]struct{ schema, want string }{
		"a block that is required": {`{"properties":{"editor":{"properties":{"zoom":{"default":1}},"required":["zoom"]}}}`, "at /properties/editor/required: "},
		"not JSON":                 {"{\n  \"properties\": {,}\n}", "line 2, column 18: "},
		"too many keys":            {`{"properties":{"editor":{"properties":{` + many.String()[1:] + `}}}}`, "513 keys are more than MAX_KEYS_PER_USER 512"},
		"a long default":           {`{"properties":{"editor":{"properties":{"text":{"default":"` + strings.Repeat("x", 9000) + `"}}}}}`, "editor.text has 9002 bytes, more than MAX_VALUE_BYTES 8192"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "schema.json")
			if err := os.WriteFile(file, []byte(tt.schema), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Chdir(t.TempDir())
			env := []string{"LISTEN_ADDR=127.0.0.1:0", "DATA_DIR=" + filepath.Join(t.TempDir(), "data"), "SETTINGS_SCHEMA=" + file}
			err := run(t.Context(), func() {}, nil, env, &output{ready: make(chan string, 1)})
			if err == nil || !strings.HasPrefix(err.Error(), "SETTINGS_SCHEMA: ") || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// [SPEC A1] Fault B6: ACCESS_TOKEN_TTL=1m. A session is not told at once that its
// token ends: the first frame after its opening is a ping.
func TestShortTokensAreNotDueAtOnce(t *testing.T) {
	r := runServer(t, filepath.Join(t.TempDir(), "data"), "ACCESS_TOKEN_TTL=1m", "PING_INTERVAL=100ms")
	defer r.end(t)
	post(t, r.url+"/api/v1/register", "", `{"deviceName":"Chrome.test6","email":"anna@example.org","password":"correct horse"}`, 201)
	grant := post(t, r.url+"/api/v1/login", "", `{"deviceName":"Chrome.test6","password":"correct horse"}`, 200)
	token := strings.Split(strings.SplitAfter(grant, `"accessToken":"`)[1], `"`)[0]
	post(t, r.url+"/api/v1/users", token, `{"username":"TestUser6"}`, 201)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+"/api/v1/users/TestUser6/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var kinds []string
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if kind, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			kinds = append(kinds, kind)
		}
		if len(kinds) > 0 && (kinds[len(kinds)-1] == "ping" || kinds[len(kinds)-1] == "authDue") {
			break
		}
	}
	if n := len(kinds); n == 0 || kinds[n-1] != "ping" {
		t.Errorf("frames: %v", kinds)
	}
}

// Fault E8: long text of a caller in the log, or of an operator in a refusal.
func TestLinesAreBounded(t *testing.T) {
	long := strings.Repeat("M", 10_000)
	for _, format := range []string{"text", "json"} {
		r := runServer(t, filepath.Join(t.TempDir(), "data"), "LOG_FORMAT="+format)
		request, err := http.NewRequestWithContext(t.Context(), long, r.url+"/api/v1/users", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		r.end(t)
		if text := r.out.String(); strings.Count(text, "M") > 250 || !strings.Contains(text, long[:200]+"…") {
			t.Errorf("%s: logged %.500s", format, text)
		}
	}
	err := run(t.Context(), func() {}, []string{long}, nil, &output{})
	if err == nil || utf8.RuneCountInString(err.Error()) > 300 {
		t.Errorf("%.500v", err)
	}
}
