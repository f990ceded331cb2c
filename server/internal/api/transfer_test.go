package api_test

import (
	"strings"
	"testing"
)

// [SPEC U7] What is exported says what it is, holds what was chosen and no defaults, byte for byte.
func TestExport(t *testing.T) {
	w := newWorld(t)
	one, two := w.pair()
	one.want("GET", at6+"/export", "", 200, `{"format":"social-server.settings","version":1,"exportedAt":"T","username":"TestUser6",`+
		`"schema":"Settings of the demo","epoch":"E","revision":0,"settings":{},"keys":{}}`)
	one.call("PATCH", path, `{"billing":{"salary":2.5e3,"period":4},"user":{"username":"Zo\u00eb"}}`, 200)
	two.call("PATCH", path, `{"billing":{"period":null},"user":{"email":""}}`, 200)
	mine := `{"revision":1,"device":{"id":"Chrome.test6","name":"Chrome.test6"},"at":"T"}`
	other := `{"revision":2,"device":{"id":"` + two.id + `","name":""},"at":"T"}` // its device has left
	two.call("DELETE", at6+"/join", "", 204)
	one.want("GET", at6+"/export", "", 200, `{"format":"social-server.settings","version":1,"exportedAt":"T","username":"TestUser6",`+
		`"schema":"Settings of the demo","epoch":"E","revision":2,`+
		`"settings":{"billing":{"salary":2.5e3},"user":{"email":"","username":"Zo\u00eb"}},`+
		`"keys":{"billing":{"salary":`+mine+`},"user":{"email":`+other+`,"username":`+mine+`}}}`)
	_, _, h := one.try("GET", at6+"/export", "")
	if got := h.Get("Content-Disposition"); got != "attachment; filename=settings-TestUser6-2.json" {
		t.Error(got)
	}
}

// [SPEC U8] What was exported can be imported, as it is, into another user; and does not change what it does not name.
func TestExportThenImport(t *testing.T) {
	w := newWorld(t)
	one, _ := w.pair()
	one.call("PATCH", path, `{"billing":{"salary":1.50e2},"user":{"username":"Zo\u00eb","acceptedTerms":true}}`, 200)
	document := one.call("GET", at6+"/export", "", 200)
	one.call("POST", "/users", `{"username":"Copy"}`, 201)
	one.call("PATCH", "/users/Copy/settings", `{"billing":{"salary":7,"period":12}}`, 200)
	live := one.call("POST", "/users/Copy/import?dryRun=1", document, 200)
	want := `{"epoch":"E","revision":1,"changes":[{"block":"billing","key":"salary","value":1.50e2,"previous":7},` +
		`{"block":"user","key":"acceptedTerms","value":true},{"block":"user","key":"username","value":"Zo\u00eb"}]}`
	if got := masked(live); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, again := range []string{"false", "true"} {
		one.want("POST", "/users/Copy/import", document, 200, `{"epoch":"E","id":"i","revision":2,"duplicate":`+again+`}`, "Idempotency-Key", "i")
	}
	got := one.call("GET", "/users/Copy/settings", "", 200)
	if !strings.Contains(got, `"settings":{"billing":{"period":12,"salary":1.50e2},"user":{"acceptedTerms":true,"email":"","username":"Zo\u00eb"}}`) {
		t.Error(got)
	}
	one.want("POST", "/users/Copy/import?dryRun=true", document, 200, `{"epoch":"E","revision":2,"changes":[]}`)
	one.call("POST", "/users/Copy/undo", `{"revision":2}`, 200) // it is a patch like any other
}

// [SPEC U8] One key that does not fit refuses all, and each of them is named.
func TestImportRefuses(t *testing.T) {
	w := newWorld(t)
	one, _ := w.pair()
	document := func(settings string) string {
		return `{"format":"social-server.settings","version":1,"settings":` + settings + `}`
	}
	tests := map[string]struct {
		body   string
		status int
		fields []string
	}{
		"three misfits":      {document(`{"billing":{"salary":-1,"period":4},"user":{"email":"nobody"},"x":{"y":1}}`), 422, []string{"billing.salary", "user.email", "x.y"}},
		"another format":     {`{"format":"zip","version":1,"settings":{"billing":{"salary":1}}}`, 422, []string{"format"}},
		"a newer version":    {`{"format":"social-server.settings","version":2,"settings":{"billing":{"salary":1}}}`, 422, []string{"version"}},
		"no settings":        {`{"format":"social-server.settings","version":1}`, 422, []string{"settings"}},
		"a list":             {document(`[]`), 422, []string{"settings"}},
		"a block of a value": {document(`{"billing":1}`), 400, []string{"billing"}},
		"a key twice":        {document(`{"billing":{"salary":1,"salary":2}}`), 400, []string{"salary"}},
		"an unknown member":  {`{"format":"social-server.settings","version":1,"secret":1,"settings":{"billing":{"salary":1}}}`, 400, nil},
		"no JSON":            {`salary: 1`, 400, nil},
		"too long":           {document(`{"user":{"username":"` + strings.Repeat("x", 9<<10) + `"}}`), 422, []string{"user.username"}},
		"far too long":       {strings.Repeat(" ", 2<<20) + document(`{}`), 413, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, query := range []string{"", "?dryRun=1"} {
				status, got, _ := one.try("POST", at6+"/import"+query, tt.body)
				if status != tt.status || strings.Count(got, `"field"`) < len(tt.fields) {
					t.Errorf("%d %s", status, got)
				}
				for _, field := range tt.fields {
					if !strings.Contains(got, `"field":"`+field+`"`) {
						t.Errorf("%s is not named: %s", field, got)
					}
				}
			}
		})
	}
	one.call("POST", at6+"/import", document(`{"billing":{"salary":1}}`), 415, "Content-Type", "text/plain")
	one.call("POST", at6+"/import?dryRun=maybe", document(`{"billing":{"salary":1}}`), 422)
	if got := one.call("GET", path, "", 200); !strings.Contains(got, `"revision":0,`) {
		t.Errorf("something was stored: %s", got)
	}
}
