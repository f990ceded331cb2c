package api_test

import (
	"database/sql"
	"os"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // to look at the rows themselves
)

// SEC-52: a deleted account leaves no row and no session; what it changed in users of others stays.
func TestDeletedAccountLeavesNothing(t *testing.T) {
	w := newWorld(t)
	one, two := w.pair()
	guest := w.device("Guest", "eve@example.org")
	guest.call("POST", "/users", `{"username":"EvesUser"}`, 201)
	code := one.call("POST", "/users/TestUser6/invitations", "", 201)
	guest.call("POST", "/invitations/accept", `{"code":`+between(code, `"code":`, ",")+`}`, 200)
	one.call("PATCH", "/users/TestUser6/settings", `{"user":{"username":"canary-5417"}}`, 200)
	live, visitor := two.join(""), guest.join("")

	one.call("DELETE", "/account", `{}`, 422)
	one.call("DELETE", "/account", `{"password":"wrong horse"}`, 403)
	one.call("GET", "/users", "", 200)
	one.call("DELETE", "/account", `{"password":"correct horse"}`, 204)

	if got := live.end(); got != "4503 device revoked" {
		t.Errorf("its own session: %s", got)
	}
	if got := visitor.end(); got != "4506 not a member any more" {
		t.Errorf("a guest's session: %s", got)
	}
	one.call("GET", "/users", "", 401)
	guest.call("GET", "/users/TestUser6/settings", "", 404)
	guest.call("GET", "/users/EvesUser/settings", "", 200)
	(&client{w: w}).call("POST", "/login", `{"deviceName":"Chrome.test6","password":"correct horse"}`, 401)
	noRows(t, w.path, "anna@example.org", "canary-5417", one.id, two.id)
	if text := w.log.String(); strings.Contains(text, "level=ERROR") || strings.Contains(text, "canary-5417") {
		t.Errorf("logged: %s", text)
	}
	w.device("Chrome.test6", "anna@example.org") // the name and the address are free again
}

func between(text, before, after string) string {
	_, rest, _ := strings.Cut(text, before)
	found, _, _ := strings.Cut(rest, after)
	return found
}

// noRows looks for words in every row of every table.
func noRows(t *testing.T, path string, words ...string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), "SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'")
	if err != nil {
		t.Fatal(err)
	}
	var places [][2]string
	for rows.Next() {
		var place [2]string
		if err := rows.Scan(&place[0], &place[1]); err != nil {
			t.Fatal(err)
		}
		places = append(places, place)
	}
	if err := rows.Err(); err != nil || len(places) < 30 {
		t.Fatalf("%d columns, %v", len(places), err)
	}
	for _, place := range places {
		for _, word := range words {
			var n int
			query := `SELECT count(*) FROM "` + place[0] + `" WHERE instr(CAST("` + place[1] + `" AS TEXT), ?) > 0`
			if err := db.QueryRowContext(t.Context(), query, word).Scan(&n); err != nil || n > 0 {
				t.Errorf("%d rows of %s.%s hold %q (%v)", n, place[0], place[1], word, err)
			}
		}
	}
}
