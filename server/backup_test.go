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
	"time"

	"github.com/gorilla/websocket"

	"social-server/internal/config"
	"social-server/internal/settings"
)

// command runs one command beside whatever runs, and returns what it printed.
func (r *running) command(t *testing.T, data string, args ...string) (string, error) {
	t.Helper()
	var out output
	err := run(t.Context(), func() {}, args, []string{"DATA_DIR=" + data, "LISTEN_ADDR=127.0.0.1:0"}, &out)
	return out.String(), err
}

// device is one device of TestUser6, of a server that may be started anew.
type device struct {
	t     *testing.T
	token string
}

func (d device) patch(server, body string) { d.call(http.MethodPatch, server, "/settings", body) }

func (d device) get(server, path string) string { return d.call(http.MethodGet, server, path, "") }

// call asks something of the user, which must succeed.
func (d device) call(method, server, path, body string) string {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, server+"/api/v1/users/TestUser6"+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+d.token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 {
		d.t.Fatalf("%s %s: %d %s (%v)", method, path, answer.StatusCode, text, err)
	}
	return string(text)
}

// opening connects with what the device has and returns the frames up to ready.
func (d device) opening(server, resume string) string {
	d.t.Helper()
	ws, _, err := websocket.DefaultDialer.DialContext(d.t.Context(), "ws"+strings.TrimPrefix(server, "http")+"/api/v1/users/TestUser6/ws", nil)
	if err != nil {
		d.t.Fatal(err)
	}
	defer ws.Close()
	if err := ws.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"type":"hello","token":%q%s}`, d.token, resume)); err != nil {
		d.t.Fatal(err)
	}
	var all strings.Builder
	for !strings.Contains(all.String(), `"type":"ready"`) {
		_, text, err := ws.ReadMessage()
		if err != nil {
			d.t.Fatalf("after %s: %v", &all, err)
		}
		all.Write(append(text, '\n'))
	}
	return all.String()
}

func firstDevice(t *testing.T, server string) device {
	t.Helper()
	post(t, server+"/api/v1/register", "", `{"deviceName":"Chrome.test6","email":"anna@example.org","password":"correct horse"}`, 201)
	grant := post(t, server+"/api/v1/login", "", `{"deviceName":"Chrome.test6","password":"correct horse"}`, 200)
	d := device{t, strings.Split(strings.SplitAfter(grant, `"accessToken":"`)[1], `"`)[0]}
	post(t, server+"/api/v1/users", d.token, `{"username":"TestUser6"}`, 201)
	return d
}

var epochIn = regexp.MustCompile(`"epoch":"(\w+)"`)

// [SPEC B1] [SPEC B2] [SPEC C6] A backup taken while the server runs, restored after it went on: a
// device that is ahead of the backup is sent the whole of it, under another epoch.
func TestBackupAndRestore(t *testing.T) {
	data, file := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "backup.db")
	first := runServer(t, data)
	d := firstDevice(t, first.url)
	d.patch(first.url, `{"billing":{"salary":1000},"user":{"username":"Zoë"}}`)
	said, err := first.command(t, data, "backup", file)
	if err != nil || !strings.Contains(said, "users 1, revisions 1, devices 1") {
		t.Fatalf("%v %s", err, said)
	}
	d.patch(first.url, `{"billing":{"salary":2000}}`)
	d.patch(first.url, `{"billing":{"period":9}}`)
	epoch := epochIn.FindStringSubmatch(d.opening(first.url, ""))[1]
	if _, err := first.command(t, data, "restore", file); err == nil || !strings.Contains(err.Error(), "in use by another social-server") {
		t.Errorf("restore beside a server: %v", err)
	}
	first.end(t)

	said, err = first.command(t, data, "restore", file)
	if err != nil || !strings.Contains(said, "Next: start the server") || !strings.Contains(said, ".before-restore-") {
		t.Fatalf("%v %s", err, said)
	}
	checkPrivate(t, data)
	second := runServer(t, data)
	defer second.end(t)
	frames := d.opening(second.url, fmt.Sprintf(`,"resume":{"epoch":%q,"revision":3}`, epoch))
	if now := epochIn.FindStringSubmatch(frames)[1]; now == epoch {
		t.Errorf("the epoch is still %s", epoch)
	}
	for _, part := range []string{`"from":0,"revision":1,`, `"salary":{"value":1000,"revision":1,`, `"username":{"value":"Zoë"`} {
		if !strings.Contains(frames, part) {
			t.Errorf("no %s in %s", part, frames)
		}
	}
	if strings.Contains(frames, "period") {
		t.Errorf("a key that the backup does not have survived: %s", frames)
	}
}

// [SPEC B3] A second server on the same data, and one on damaged data, end at once with one line.
func TestStartsThatAreRefused(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	first := runServer(t, data)
	refused := func(says string) {
		t.Helper()
		began := time.Now()
		_, err := first.command(t, data, "serve")
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "DATA_DIR") {
			t.Errorf("got %v, want %q", err, says)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("said so after %v", took)
		}
	}
	refused("in use by another social-server")
	if status, _ := get(t, first.url+"/readyz"); status != 200 {
		t.Errorf("the first one is %d", status)
	}
	first.end(t)
	if err := os.WriteFile(filepath.Join(data, databaseFile), []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused("social-server restore FILE")
}

// startHere starts a server whose parts a test may reach; it must stop it.
func startHere(t *testing.T, data string, env ...string) *program {
	t.Helper()
	cfg, err := config.Load(".env", append([]string{"DATA_DIR=" + data, "LISTEN_ADDR=127.0.0.1:0"}, env...))
	if err != nil {
		t.Fatal(err)
	}
	p, err := start(t.Context(), cfg, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// [SPEC B3] Damage that is found beside the running server ends it with the line of a start.
func TestDamageEndsServer(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	first := runServer(t, data)
	firstDevice(t, first.url)
	first.end(t)
	p := startHere(t, data)
	path := filepath.Join(data, databaseFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rubbish := strings.Repeat("\xa5", 3*4096)
	if err := os.WriteFile(path, []byte(string(text[:8192])+rubbish+string(text[5*4096:])), 0o600); err != nil {
		t.Fatal(err)
	}
	p.store.CheckRest(p.checked)
	if err := <-p.failed; !strings.HasPrefix(err.Error(), "DATA_DIR: open database: ") || !strings.Contains(err.Error(), "social-server restore FILE") {
		t.Errorf("ended with %v", err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil { // so that it stops without more to say
		t.Fatal(err)
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
}

// [SPEC U2] A history beyond what is to be kept goes after a start; the settings stay.
func TestServerForgets(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	first := runServer(t, data)
	d := firstDevice(t, first.url)
	for salary := range 5 {
		d.patch(first.url, fmt.Sprintf(`{"billing":{"salary":%d}}`, salary))
	}
	first.end(t)
	second := startHere(t, data, "HISTORY_KEEP_COUNT=2")
	second.janitor.Close() // it would begin in a minute
	second.janitor = settings.NewJanitor(second.store, second.keep(), settings.Pace{}, second.log, time.Now)
	defer func() {
		if err := second.stop(); err != nil {
			t.Error(err)
		}
	}()
	for began := time.Now(); ; { // the sweep runs beside
		if records := strings.Count(d.get(second.url, "/history"), `"revision"`); records == 2 {
			break
		} else if time.Since(began) > 10*time.Second {
			t.Fatalf("%d records are left", records)
		}
	}
	if got := post(t, second.url+"/api/v1/users/TestUser6/undo", d.token, `{"revision":5,"dryRun":true}`, 200); !strings.Contains(got, `"value":3,"previous":4`) {
		t.Error(got)
	}
}

func TestUsage(t *testing.T) {
	for _, word := range []string{"help", "--help", "-help"} {
		var out output
		if err := run(t.Context(), func() {}, []string{word}, nil, &out); err != nil || !strings.Contains(out.String(), "social-server backup FILE") {
			t.Errorf("%s: %v %s", word, err, out.String())
		}
	}
	var out output
	for _, args := range [][]string{{"backup"}, {"backup", "a", "b"}, {"restore"}, {"serve", "x"}} {
		err := run(t.Context(), func() {}, args, nil, &out)
		if err == nil || !strings.Contains(err.Error(), "use it as: social-server "+args[0]) {
			t.Errorf("%v: %v", args, err)
		}
	}
}
