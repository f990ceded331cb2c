package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestResetCode: the command works beside a running server, the code once, and
// the database holds only its hash (SEC-5).
func TestResetCode(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	env := []string{"DATA_DIR=" + data}
	command := func(args ...string) (string, error) {
		var out output
		err := run(t.Context(), func() {}, append([]string{"admin"}, args...), env, &out)
		return out.String(), err
	}
	t.Chdir(t.TempDir())
	if _, err := command("reset-code", "laptop"); err == nil || !strings.Contains(err.Error(), "no database yet") {
		t.Errorf("before the first start: %v", err)
	}
	r := runServer(t, data)
	defer r.end(t)
	api := r.url + "/api/v1"
	post(t, api+"/register", "", `{"deviceName":"laptop","email":"anna@example.org","password":"correct horse"}`, 201)
	for _, name := range []string{"laptop", "Anna@example.org", " LAPTOP\u00a0"} {
		text, err := command("reset-code", name)
		if err != nil {
			t.Fatal(err)
		}
		code := regexp.MustCompile(`(?m)^([A-Z2-7]{4}-){3}[A-Z2-7]{4}$`).FindString(text)
		if code == "" || !strings.Contains(text, "anna@example.org") {
			t.Fatalf("printed %s", text)
		}
		body := fmt.Sprintf(`{"code":%q,"password":"new for %s"}`, code, name)
		if got := dump(t, data); strings.Contains(got, code) || strings.Contains(got, strings.ReplaceAll(code, "-", "")) {
			t.Error("the code is in the database")
		}
		post(t, api+"/reset", "", body, 204)
		post(t, api+"/reset", "", body, 401)
		post(t, api+"/login", "", `{"deviceName":"laptop","password":"correct horse"}`, 401)
		post(t, api+"/login", "", fmt.Sprintf(`{"deviceName":"laptop","password":"new for %s"}`, name), 200)
		if strings.Contains(r.out.String(), code) {
			t.Error("the code is in the log")
		}
	}
	for _, args := range [][]string{{"reset-code", "nobody"}, {"dance", "laptop"}, {"reset-code"}, {}} {
		if text, err := command(args...); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v %s", args, err, text)
		}
	}
}

// dump returns the bytes of the database's files.
func dump(t *testing.T, data string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, databaseFile+"*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
