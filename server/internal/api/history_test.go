package api_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

const at6 = "/users/TestUser6"

// masked replaces what a test cannot know: times, epochs, ids that were made up.
func masked(text string, devices ...*client) string {
	for _, d := range devices {
		text = strings.ReplaceAll(text, d.id, d.name)
	}
	for pattern, with := range map[string]string{
		`"(at|exportedAt)":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"`: `"$1":"T"`,
		`"epoch":"[a-z2-7]{8}"`: `"epoch":"E"`,
		`"id":"[A-Z2-7]{26}"`:   `"id":"I"`,
	} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, with)
	}
	return text
}

// want fails the test unless a call answers just this.
func (c *client) want(method, path, body string, status int, want string, headers ...string) {
	c.w.t.Helper()
	got, text, _ := c.try(method, path, body, headers...)
	if text = masked(text, c); got != status || text != want {
		c.w.t.Errorf("%s %s %s: %d\n%s, want %d\n%s", method, path, body, got, text, status, want)
	}
}

// [SPEC U1] The whole shape of history, byte for byte; its pages and filters.
func TestHistoryOverHTTP(t *testing.T) {
	w := newWorld(t)
	one, two := w.pair()
	one.want("GET", at6+"/history", "", 200, `{"changes":[]}`)
	one.call("PATCH", path, `{"billing":{"salary":1.0e3},"user":{"username":"Zo\u00eb"}}`, 200, "Idempotency-Key", "a")
	two.call("PATCH", path, `{"billing":{"salary":null}}`, 200, "Idempotency-Key", "b")
	one.call("PATCH", path, `{"billing":{"salary":5}}`, 200, "Idempotency-Key", "c")
	mine := `"device":{"id":"Chrome.test6","name":"Chrome.test6"},"at":"T"`
	other := `"device":{"id":"` + two.id + `","name":"Firefox.test6"},"at":"T"`
	third := `{"revision":3,"block":"billing","key":"salary","value":5,"previous":null,` + mine + `,"id":"c"}`
	second := `{"revision":2,"block":"billing","key":"salary","value":null,"previous":1.0e3,` + other + `,"id":"b"}`
	first := `{"revision":1,"block":"billing","key":"salary","value":1.0e3,` + mine + `,"id":"a"}`
	name := `{"revision":1,"block":"user","key":"username","value":"Zo\u00eb",` + mine + `,"id":"a"}`
	for query, want := range map[string]string{
		"":                              `{"changes":[` + third + `,` + second + `,` + first + `,` + name + `]}`,
		"?limit=2":                      `{"changes":[` + third + `,` + second + `],"next":2}`,
		"?limit=2&before=2":             `{"changes":[` + first + `,` + name + `]}`,
		"?limit=1&before=2":             `{"changes":[` + first + `,` + name + `]}`,
		"?key=user.username":            `{"changes":[` + name + `]}`,
		"?key=billing.salary&limit=1":   `{"changes":[` + third + `],"next":3}`,
		"?device=me&key=billing.salary": `{"changes":[` + third + `,` + first + `]}`,
		"?device=" + two.id:             `{"changes":[` + second + `]}`,
		"?key=billing.gone":             `{"changes":[]}`,
	} {
		one.want("GET", at6+"/history"+query, "", 200, want)
	}
	for _, query := range []string{"before=0", "before=x", "before=-1", "limit=0", "limit=201", "limit=x", "key=salary", "key=.salary"} {
		field, _, _ := strings.Cut(query, "=")
		if got := one.call("GET", at6+"/history?"+query, "", 422); !strings.Contains(got, `"field":"`+field+`"`) {
			t.Errorf("%s: %s", query, got)
		}
	}
}

const smallExport = `{"format":"social-server.settings","version":1,"settings":{"billing":{"salary":9}}}`

// Only members see or change anything: to all others the user is not there.
func TestHistoryIsForMembers(t *testing.T) {
	w := newWorld(t)
	one, _ := w.pair()
	one.call("PATCH", path, `{"billing":{"salary":1}}`, 200)
	for _, c := range []*client{w.device("Stranger", "eve@example.org"), w.device("Not.joined", "anna@example.org")} {
		c.call("GET", at6+"/history", "", 404)
		c.call("GET", at6+"/export", "", 404)
		c.call("POST", at6+"/undo", `{"revision":1}`, 404)
		c.call("POST", at6+"/restore", `{"revision":0}`, 404)
		c.call("POST", at6+"/import", smallExport, 404)
	}
	if got := one.call("GET", path, "", 200); !strings.Contains(got, `"salary":1}`) {
		t.Error(got)
	}
}

// [SPEC U3] [SPEC U4] An undo is a patch like any other: it goes to the live sessions, and can be undone.
func TestUndoOverHTTP(t *testing.T) {
	w := newWorld(t)
	one, two := w.pair()
	one.call("PATCH", path, `{"billing":{"salary":1000}}`, 200)
	one.call("PATCH", path, `{"billing":{"salary":2.0,"period":5}}`, 200)
	live := two.join("")
	one.want("POST", at6+"/undo", `{"revision":2,"dryRun":true}`, 200, `{"epoch":"E","revision":2,"changes":[`+
		`{"block":"billing","key":"period","value":null,"previous":5},{"block":"billing","key":"salary","value":1000,"previous":2.0}]}`)
	one.want("POST", at6+"/undo", `{"revision":2}`, 200, `{"epoch":"E","id":"undo","revision":3,"duplicate":false}`, "Idempotency-Key", "undo")
	if got := live.until("change"); !strings.Contains(got, `"salary":{"value":1000,"revision":3`) || !strings.Contains(got, `"period":{"value":null,"revision":3`) {
		t.Error(got)
	}
	one.want("POST", at6+"/undo", `{"revision":2}`, 200, `{"epoch":"E","id":"undo","revision":3,"duplicate":true}`, "Idempotency-Key", "undo")
	one.want("POST", at6+"/undo", `{"revision":3}`, 200, `{"epoch":"E","id":"I","revision":4,"duplicate":false}`)
	if got := one.call("GET", path, "", 200); !strings.Contains(got, `"billing":{"period":5,"salary":2.0}`) {
		t.Errorf("undone twice: %s", got)
	}
	got := one.call("POST", at6+"/undo", `{"revision":2}`, 409)
	for _, part := range []string{`"code":"conflict"`, `"field":"billing.period"`, `"current":{"billing":{"period":{"value":5,"revision":4,`} {
		if !strings.Contains(got, part) {
			t.Errorf("no %s in %s", part, got)
		}
	}
	one.call("POST", at6+"/undo", `{"revision":2,"dryRun":true}`, 409)
}

// [SPEC U4] With partial, the keys that did not change since are undone and the others named.
func TestPartialUndoOverHTTP(t *testing.T) {
	w := newWorld(t)
	one, two := w.pair()
	one.call("PATCH", path, `{"billing":{"salary":1,"period":5}}`, 200)
	two.call("PATCH", path, `{"billing":{"salary":2}}`, 200)
	left := `"left":{"billing":{"salary":{"value":2,"revision":2,"device":"` + two.id + `","at":"T"}}}`
	one.call("POST", at6+"/undo", `{"revision":1}`, 409)
	one.want("POST", at6+"/undo", `{"revision":1,"partial":true,"dryRun":true}`, 200,
		`{"epoch":"E","revision":2,"changes":[{"block":"billing","key":"period","value":null,"previous":5}],`+left+`}`)
	for _, again := range []bool{false, true} {
		one.want("POST", at6+"/undo", `{"revision":1,"partial":true}`, 200,
			fmt.Sprintf(`{"epoch":"E","id":"u","revision":3,"duplicate":%v,%s}`, again, left), "Idempotency-Key", "u")
	}
	got := one.call("POST", at6+"/undo", `{"revision":1}`, 409, "Idempotency-Key", "u") // [SPEC U6]
	if !strings.Contains(got, `"code":"id-reused"`) {
		t.Errorf("another request under the same id: %s", got)
	}
}

// [SPEC U5] A way back shows first what it would do, and then does just that or nothing.
func TestRestoreOverHTTP(t *testing.T) {
	w := newWorld(t)
	one, two := w.pair()
	one.call("PATCH", path, `{"billing":{"salary":1}}`, 200)
	two.call("PATCH", path, `{"billing":{"salary":2},"user":{"username":"Zoë"}}`, 200)
	status, text, header := one.try("POST", at6+"/restore", `{"revision":1,"dryRun":true}`)
	want := `{"epoch":"E","revision":2,"changes":[{"block":"billing","key":"salary","value":1,"previous":2},` +
		`{"block":"user","key":"username","value":null,"previous":"Zoë"}]}`
	if status != 200 || masked(text) != want {
		t.Errorf("%d %s, want %s", status, text, want)
	}
	two.call("PATCH", path, `{"billing":{"period":9}}`, 200)
	one.call("POST", at6+"/restore", `{"revision":1}`, 412, "If-Match", header.Get("ETag"))
	if got := one.call("GET", path, "", 200); !strings.Contains(got, `"period":9,"salary":2`) {
		t.Errorf("a change the dry run did not show was lost: %s", got)
	}
	_, _, header = one.try("POST", at6+"/restore", `{"revision":1,"dryRun":true}`)
	theirs := func(value string, revision int) string {
		return fmt.Sprintf(`{"value":%s,"device":%q,"revision":%d}`, value, two.id, revision)
	}
	overwrote := `"overwrote":{"billing":{"period":` + theirs("9", 3) + `,"salary":` + theirs("2", 2) + `},"user":{"username":` + theirs(`"Zoë"`, 2) + `}}`
	one.want("POST", at6+"/restore", `{"revision":1}`, 200, `{"epoch":"E","id":"r","revision":4,`+overwrote+`,"duplicate":false}`,
		"If-Match", header.Get("ETag"), "Idempotency-Key", "r")
	if got := one.call("GET", path, "", 200); !strings.Contains(got, `"settings":{"billing":{"period":3,"salary":1},"user":{"acceptedTerms":false,"email":"","username":""}}`) {
		t.Error(got)
	}
	one.want("POST", at6+"/restore", `{"revision":1}`, 200, `{"epoch":"E","id":"I","revision":4,"duplicate":false}`)
	one.want("POST", at6+"/restore", `{"revision":4,"dryRun":true}`, 200, `{"epoch":"E","revision":4,"changes":[]}`)
}

// What cannot be read, or is not there, is refused in words.
func TestUndoRefuses(t *testing.T) {
	w := newWorld(t)
	one, _ := w.pair()
	one.call("PATCH", path, `{"billing":{"salary":1}}`, 200)
	const missing, gone = "There is no such revision.", "The history does not go back that far any more."
	refused := func(path, body string, status int, says string) {
		t.Helper()
		if got := one.call("POST", at6+path, body, status); !strings.Contains(got, says) {
			t.Errorf("%s %s: %s", path, body, got)
		}
	}
	refused("/undo", `{}`, 422, `"field":"revision"`)
	refused("/undo", `{"revision":0}`, 404, missing)
	refused("/undo", `{"revision":2}`, 404, missing)
	refused("/undo", `{"revision":9007199254740992}`, 422, `"field":"revision"`)
	refused("/undo", `{"revision":-1}`, 400, `"field":"revision"`)
	refused("/undo", `{"revision":"1"}`, 400, `"field":"revision"`)
	refused("/undo", `{"revision":1,"force":true}`, 400, "malformed")
	refused("/restore", `{"revision":1,"partial":true}`, 400, "malformed")
	refused("/restore", `{}`, 422, `"field":"revision"`)
	refused("/restore", `{"revision":2}`, 404, missing)

	one.call("PATCH", path, `{"billing":{"salary":2}}`, 200)
	_, user, err := w.store.Overdue(t.Context(), "", time.Time{}, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Forget(t.Context(), user, time.Time{}, 1, 100); err != nil {
		t.Fatal(err)
	}
	refused("/undo", `{"revision":1}`, 404, gone) // [SPEC U2]
	refused("/restore", `{"revision":0}`, 404, gone)
}

// [SPEC L1] [SPEC U1] A drag is one row: what is shown while dragging is no history.
func TestOneDragIsOneRow(t *testing.T) {
	w := newWorld(t)
	one, two := w.pair()
	dragging, watching := one.join(""), two.join("")
	for salary := 2600; salary <= 3000; salary += 100 {
		dragging.send(fmt.Sprintf(`{"type":"preview","set":{"billing":{"salary":%d}}}`, salary))
	}
	watching.until("preview")
	dragging.send(`{"type":"patch","id":"drag","set":{"billing":{"salary":3000}}}`)
	dragging.until("ack")
	if got := one.call("GET", at6+"/history", "", 200); strings.Count(got, `"revision"`) != 1 || !strings.Contains(got, `"value":3000`) {
		t.Error(got)
	}
	one.call("POST", at6+"/undo", `{"revision":1}`, 200)
	if got := one.call("GET", path, "", 200); !strings.Contains(got, `"salary":2500`) {
		t.Errorf("the drag is undone: %s", got)
	}
}
