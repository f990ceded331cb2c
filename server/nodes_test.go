package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"social-server/internal/backing"
)

// services are a PostgreSQL and a Redis of a test's own, and the environment of
// a node that stands on them.
func services(t *testing.T) (*backing.Postgres, *backing.Redis, []string) {
	t.Helper()
	folder := t.TempDir()
	database, err := backing.StartPostgres(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.StopNow() })
	if err := database.CreateDatabase(t.Context(), "social", ""); err != nil {
		t.Fatal(err)
	}
	cache, err := backing.StartRedis(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Kill() })
	return database, cache, []string{
		"DATABASE_URL=" + database.URL("social"), "REDIS_URL=" + cache.URL(), "JWT_SECRET=" + strings.Repeat("several nodes, one key. ", 2) + "!",
		"DRAIN_WINDOW=0s",
	}
}

// Two nodes are one server: what is done at one is there at the other, and a
// change wakes who waits at the other.
func TestTwoNodesAreOneServer(t *testing.T) {
	database, cache, env := services(t)
	a := runServer(t, filepath.Join(t.TempDir(), "a"), env...)
	b := runServer(t, filepath.Join(t.TempDir(), "b"), env...)
	if text := a.out.String(); !strings.Contains(text, database.Addr()+"/social") {
		t.Errorf("it does not say where its data is: %s", text)
	}
	first := signUp(t, a.url, b.url, "Chrome.test6")
	second := signUp(t, b.url, a.url, "Firefox.test6")
	post(t, a.url+"/api/v1/users", first, `{"username":"TestUser6"}`, 201)
	post(t, b.url+"/api/v1/users/testuser6/join", second, "", 200)

	change(t, b.url, second, 1)
	epoch := epochOf(t, a.url, first)
	woken := make(chan string, 1)
	go func() {
		_, text, err := getAs(t.Context(), a.url+"/api/v1/users/TestUser6/settings?wait=20&since="+epoch+".1", first)
		if err != nil {
			text = err.Error()
		}
		woken <- text
	}()
	change(t, b.url, second, 2)
	select {
	case text := <-woken:
		if !strings.Contains(text, `"salary":{"value":2`) {
			t.Errorf("woken by %s", text)
		}
	case <-time.After(10 * time.Second):
		t.Error("a change at one node woke nobody at the other")
	}

	if err := cache.Kill(); err != nil {
		t.Fatal(err)
	}
	change(t, a.url, first, 3) // writes need no Redis
	status, text := get(t, b.url+"/readyz")
	if status != 200 || !strings.Contains(text, `"relay":"unavailable"`) {
		t.Errorf("without Redis: %d %s", status, text)
	}
	a.end(t)
	b.end(t)
}

// The commands that a PostgreSQL server's own tools stand in for say so, and
// the others work beside running nodes.
func TestCommandsOnPostgres(t *testing.T) {
	_, _, env := services(t)
	r := runServer(t, filepath.Join(t.TempDir(), "data"), env...)
	token := signUp(t, r.url, r.url, "Chrome.test6")
	post(t, r.url+"/api/v1/users", token, `{"username":"TestUser6"}`, 201)
	before := epochOf(t, r.url, token)
	for _, args := range []string{"backup FILE", "restore FILE"} {
		var out output
		err := run(t.Context(), func() {}, strings.Fields(args), env, &out)
		if err == nil || !strings.HasPrefix(err.Error(), "DATABASE_URL: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", args, err)
		}
	}
	for _, args := range []string{"admin reset-code Chrome.test6", "admin new-epoch"} {
		var out output
		if err := run(t.Context(), func() {}, strings.Fields(args), env, &out); err != nil {
			t.Errorf("%s: %v", args, err)
		}
	}
	if after := epochOf(t, r.url, token); after == before {
		t.Errorf("the epoch is %s still", after)
	}
	r.end(t)
}

// A server moves from SQLite to PostgreSQL: the settings are there, under their
// revisions, and who was logged in still is.
func TestMoveToPostgres(t *testing.T) {
	_, _, env := services(t)
	data := filepath.Join(t.TempDir(), "data")
	small := runServer(t, data)
	token := signUp(t, small.url, small.url, "Chrome.test6")
	post(t, small.url+"/api/v1/users", token, `{"username":"TestUser6"}`, 201)
	change(t, small.url, token, 7)
	_, before, err := getAs(t.Context(), small.url+"/api/v1/users/TestUser6/settings", token)
	if err != nil {
		t.Fatal(err)
	}
	copying := func() error {
		return run(t.Context(), func() {}, []string{"copy", filepath.Join(data, databaseFile)}, env, small.out)
	}
	if err := copying(); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("copied while a server runs: %v", err)
	}
	small.end(t)
	if err := copying(); err != nil {
		t.Fatal(err)
	}
	if err := copying(); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("copied twice: %v", err)
	}
	large := runServer(t, filepath.Join(t.TempDir(), "data"), append(env, "JWT_SECRET_PREVIOUS_FILE="+filepath.Join(data, "jwt.key"))...)
	_, after, err := getAs(t.Context(), large.url+"/api/v1/users/TestUser6/settings", token)
	if err != nil || after != before || !strings.Contains(after, `"salary":7`) {
		t.Errorf("%v: was %s, is %s", err, before, after)
	}
	large.end(t)
}

// signUp registers a device at one node and logs it in at another.
func signUp(t *testing.T, at, in, name string) (token string) {
	t.Helper()
	post(t, at+"/api/v1/register", "", fmt.Sprintf(`{"deviceName":%q,"email":"anna@example.org","password":"correct horse"}`, name), 201)
	grant := post(t, in+"/api/v1/login", "", fmt.Sprintf(`{"deviceName":%q,"password":"correct horse"}`, name), 200)
	return strings.Split(strings.SplitAfter(grant, `"accessToken":"`)[1], `"`)[0]
}

func change(t *testing.T, url, token string, salary int) {
	t.Helper()
	body := fmt.Sprintf(`{"format":"social-server.settings","version":1,"settings":{"billing":{"salary":%d}}}`, salary)
	post(t, url+"/api/v1/users/TestUser6/import", token, body, 200)
}

func epochOf(t *testing.T, url, token string) string {
	t.Helper()
	_, text, err := getAs(t.Context(), url+"/api/v1/users/TestUser6/settings", token)
	if err != nil {
		t.Fatal(err)
	}
	epoch, _, _ := strings.Cut(strings.TrimPrefix(text, `{"epoch":"`), `"`)
	return epoch
}
