package api_test

import (
	"bytes"
	stdjson "encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"social-server/internal/settings"
)

// anyValues gives a world a schema of keys that take every value.
func anyValues(s *shape) {
	schema, err := settings.ParseSchema([]byte(`{"title":"Any","properties":{"editor":{"properties":{"zoom":{"type":"number","default":1},"more":{"default":[]}}}}}`))
	if err != nil {
		panic(err)
	}
	s.schema = schema
}

var asFrame = []string{"Content-Type", "application/vnd.settings-sync.patch+json"}

func document(settings string) string {
	return `{"format":"social-server.settings","version":1,"settings":` + settings + `}`
}

// [SPEC V7] Fault A3: a number that is no finite double, by every door. It is
// refused by its key, changes nothing, and ends no session.
func TestNumbersNoDoubleHolds(t *testing.T) {
	w := newWorld(t, anyValues)
	one, two := w.pair()
	socket, other := one.join(""), two.join("")
	for _, value := range []string{`{"zoom":1e400}`, `{"zoom":-1.8e308}`, `{"more":[1,{"x":[1e999]}]}`} {
		set := `{"editor":` + value + `}`
		field := `"field":"editor.` + value[2:6] + `"`
		for door, answer := range map[string]string{
			"merge patch": one.call("PATCH", path, set, 422),
			"patch":       one.call("PATCH", path, `{"set":`+set+`}`, 422, asFrame...),
			"import":      one.call("POST", at6+"/import", document(set), 422),
			"trial":       one.call("POST", at6+"/import?dryRun=1", document(set), 422),
		} {
			if !strings.Contains(answer, `"code":"invalid"`) || !strings.Contains(answer, field) {
				t.Errorf("%s of %s: %s", door, value, answer)
			}
		}
		socket.send(`{"type":"patch","id":"p","set":` + set + `}`)
		if answer := socket.until("refused"); !strings.Contains(answer, `"code":"invalid"`) || !strings.Contains(answer, field) {
			t.Errorf("frame of %s: %s", value, answer)
		}
		socket.send(`{"type":"preview","set":` + set + `}`)
	}
	socket.send(`{"type":"preview","set":{"editor":{"zoom":1e308}}}`)
	if got := other.until("preview"); !strings.Contains(got, `"zoom":1e308`) {
		t.Errorf("a preview that no page can read was passed on: %s", got)
	}
	if got := one.call("GET", path, "", 200); !strings.Contains(got, `"revision":0,`) {
		t.Errorf("something was stored: %s", got)
	}
}

// storeUnchecked stores a patch as a server did that took every number.
func (c *client) storeUnchecked(id, set string) {
	c.w.t.Helper()
	list, err := settings.ParseSet([]byte(set), nil)
	if err != nil {
		c.w.t.Fatal(err)
	}
	seat, err := c.w.accounts.Authenticate(c.w.t.Context(), c.token)
	if err != nil {
		c.w.t.Fatal(err)
	}
	user, err := c.w.accounts.Authorize(c.w.t.Context(), seat, "TestUser6")
	if err != nil {
		c.w.t.Fatal(err)
	}
	patch := settings.Patch{ID: id, Set: list}
	outcomes, err := c.w.store.Commit(c.w.t.Context(), []*settings.Write{{
		User: user.ID, Device: c.id, At: time.Now(), Patch: patch, Hash: patch.Hash(), Schema: c.w.settings.Schema,
	}}, settings.DefaultLimits)
	if err != nil || outcomes[0].Err != nil {
		c.w.t.Fatal(err, outcomes)
	}
}

// readable fails unless a reader of doubles can read a text.
func readable(t *testing.T, what, text string) {
	t.Helper()
	var value any
	if err := stdjson.Unmarshal([]byte(text), &value); err != nil {
		t.Errorf("%s: no page can read %s: %v", what, text, err)
	}
}

// [SPEC V7] Fault A3: a number beyond every double that an older server stored.
// Every reader is sent null in its place, which is the default, and goes on; it
// cannot be put back.
func TestNumbersStoredBefore(t *testing.T) {
	w := newWorld(t, anyValues)
	one, two := w.pair()
	one.storeUnchecked("old", `{"editor":{"zoom":1e400,"more":[{"x":-1e999}]}}`)

	got := two.call("GET", path, "", 200)
	readable(t, "settings", got)
	if !strings.Contains(got, `"settings":{"editor":{"more":[],"zoom":1}}`) {
		t.Errorf("not the defaults: %s", got)
	}
	export := one.call("GET", at6+"/export", "", 200)
	readable(t, "export", export)
	if !strings.Contains(export, `"settings":{},"keys":{}`) {
		t.Errorf("exported: %s", export)
	}
	socket := two.dial()
	socket.send(`{"type":"hello","token":"` + two.token + `"}`)
	change := socket.until("change")
	readable(t, "change", change)
	if strings.Count(change, `"value":null,"revision":1`) != 2 {
		t.Errorf("change: %s", change)
	}
	socket.until("ready")
	event := two.follow("").until("change").data
	readable(t, "event", event)
	readable(t, "long-poll", two.call("GET", path+"?since=x.0", "", 200))

	socket.send(`{"type":"patch","id":"late","set":{"editor":{"zoom":2}},"base":{"editor":{"zoom":0}}}`)
	readable(t, "conflict", socket.until("refused"))
	socket.send(`{"type":"patch","id":"mend","set":{"editor":{"zoom":2}}}`)
	ack := socket.until("ack")
	readable(t, "ack", ack)
	if !strings.Contains(ack, `"overwrote":{"editor":{"zoom":{"value":null,`) {
		t.Errorf("ack: %s", ack)
	}
	readable(t, "history", one.call("GET", at6+"/history", "", 200))
	for _, back := range []string{`/undo`, `/restore`} {
		revision := map[string]string{"/undo": "2", "/restore": "1"}[back]
		answer := one.call("POST", at6+back, `{"revision":`+revision+`}`, 422)
		if !strings.Contains(answer, `"field":"editor.zoom"`) {
			t.Errorf("%s: %s", back, answer)
		}
	}
	readable(t, "trial", one.call("POST", at6+"/restore", `{"revision":0,"dryRun":true}`, 200))
	one.call("POST", at6+"/restore", `{"revision":0}`, 200)
	readable(t, "settings", one.call("GET", path, "", 200))
}

// [SPEC H1] [SPEC V2] Fault A3: line ends within a value, which are white space.
// On a stream they do not end the event.
func TestLineEndsInAValue(t *testing.T) {
	w := newWorld(t, anyValues)
	one, two := w.pair()
	stream := two.follow("")
	stream.until("ready")
	for value, want := range map[string]string{
		"[1,\n\n  2]": "[1,\n\n  2]", "[3,\r4,\r\n5]": "[3,\n4,\n5]", "[\n\r6\n]": "[\n\n6\n]", // a stream has one kind of line end
	} {
		one.call("PATCH", path, `{"editor":{"more":`+value+`}}`, 200)
		got := stream.until("change").data
		readable(t, "event", got)
		if !strings.Contains(got, `"value":`+want+`,`) {
			t.Errorf("%q came as %q", value, got)
		}
		if got := one.call("GET", path, "", 200); !strings.Contains(got, `"more":`+value+`,`) {
			t.Errorf("%q is kept as %q", value, got)
		}
	}
}

// [SPEC V7] Fault A3: a value that one door takes. Every door takes it, so that an
// export can be imported and a frame can bring it; one level more is refused by its key.
func TestDepthIsTheSameAtEveryDoor(t *testing.T) {
	w := newWorld(t, anyValues)
	one, _ := w.pair()
	socket := one.join("")
	nested := func(levels int) string {
		return `{"editor":{"more":` + strings.Repeat("[", levels) + strings.Repeat("]", levels) + `}}`
	}
	one.call("PATCH", path, nested(32), 200)
	one.call("POST", at6+"/import", one.call("GET", at6+"/export", "", 200), 200)
	socket.send(`{"type":"patch","id":"a","set":` + nested(32) + `}`)
	socket.until("ack")
	for door, answer := range map[string]string{
		"merge patch": one.call("PATCH", path, nested(33), 422), "import": one.call("POST", at6+"/import", document(nested(33)), 422),
	} {
		if !strings.Contains(answer, `"field":"editor.more"`) {
			t.Errorf("%s: %s", door, answer)
		}
	}
	socket.send(`{"type":"patch","id":"b","set":` + nested(33) + `}`)
	if answer := socket.until("refused"); !strings.Contains(answer, `"field":"editor.more"`) {
		t.Error(answer)
	}
}

// [SPEC P7] [SPEC U8] Fault: "{}" as a merge patch, and the export of nothing. It is
// stored as nothing: 200, no revision, no history.
func TestPatchOfNothing(t *testing.T) {
	w := newWorld(t)
	one, two := w.pair()
	nothing := one.call("GET", at6+"/export", "", 200)
	one.want("POST", at6+"/import", nothing, 200, `{"epoch":"E","id":"i0","revision":0,"duplicate":false}`, "Idempotency-Key", "i0")
	two.call("PATCH", path, `{"billing":{"salary":1}}`, 200)
	_, _, h := one.try("GET", path, "")
	tag := h.Get("ETag")
	stream := two.follow("")
	stream.until("ready")

	for id, body := range map[string]string{"a": `{}`, "b": ` { } `, "c": `{"billing":{}}`, "d": `{"billing":{},"user":{}}`} {
		one.want("PATCH", path, body, 200, `{"epoch":"E","id":"`+id+`","revision":1,"duplicate":false}`, "Idempotency-Key", id, "If-Match", tag)
	}
	one.want("PATCH", path, `{}`, 200, `{"epoch":"E","id":"again","revision":1,"duplicate":false}`, "Idempotency-Key", "again")
	one.want("POST", at6+"/import", document(`{}`), 200, `{"epoch":"E","id":"again","revision":1,"duplicate":true}`, "Idempotency-Key", "again")
	one.want("POST", at6+"/import?dryRun=1", nothing, 200, `{"epoch":"E","revision":1,"changes":[]}`)
	one.call("PATCH", path, `{}`, 412, "If-Match", `"other.1"`)
	one.call("PATCH", path, `{"billing":{"salary":2}}`, 200)
	if got := stream.until("change"); !strings.HasSuffix(got.id, ".2") {
		t.Errorf("the next change is %s: %s", got.id, got.data)
	}
	if got := one.call("GET", at6+"/history", "", 200); strings.Count(got, `"revision"`) != 2 {
		t.Errorf("history: %s", got)
	}
	for body, want := range map[string]string{ // what names a block there is not is no patch of nothing
		`null`: `"code":"malformed"`, `{"shop":{}}`: `"field":"shop"`, `{"shop":null}`: `"field":"shop"`, `{"billing":{},"shop":{"x":1}}`: `"field":"shop.x"`,
	} {
		if status, got, _ := one.try("PATCH", path, body); status/100 != 4 || !strings.Contains(got, want) {
			t.Errorf("%s: %d %s", body, status, got)
		}
	}
	one.call("PATCH", path, `{"set":{}}`, 422, asFrame...) // a patch frame names a key
}

// Fault: whole numbers written as 1.0 or 1e0, wherever a body or a frame has one.
func TestWholeNumbersInBodies(t *testing.T) {
	w := newWorld(t)
	one, _ := w.pair()
	one.call("PATCH", path, `{"billing":{"salary":1}}`, 200)
	one.call("PATCH", path, `{"billing":{"salary":2}}`, 200)
	one.want("POST", at6+"/undo", `{"revision":2.0}`, 200, `{"epoch":"E","id":"i","revision":3,"duplicate":false}`, "Idempotency-Key", "i")
	one.want("POST", at6+"/undo", `{"revision":2}`, 200, `{"epoch":"E","id":"i","revision":3,"duplicate":true}`, "Idempotency-Key", "i")
	one.call("POST", at6+"/restore", `{"revision":1e0,"dryRun":true}`, 200)
	one.call("POST", at6+"/import", `{"format":"social-server.settings","version":1.0,"revision":3e0,"settings":{}}`, 200)
	one.call("PATCH", path, `{"set":{"billing":{"salary":5}},"base":{"billing":{"salary":3.0}}}`, 200, asFrame...)
	for _, revision := range []string{"1.5", "-1.0", "1e400", "9007199254740993.0", `"1"`} {
		if got := one.call("POST", at6+"/undo", `{"revision":`+revision+`}`, 400); !strings.Contains(got, `"field":"revision"`) {
			t.Errorf("%s: %s", revision, got)
		}
	}
	socket := one.join(`,"resume":{"epoch":"x","revision":0.0}`)
	socket.send(`{"type":"pong","seen":1.0}`)
	socket.send(`{"type":"sync","revision":0e0}`)
	socket.until("change")
}

// [SPEC V4] Fault: a PATCH that is not JSON. The answer says what is wrong, and where.
func TestPatchSaysWhereItIsNotJSON(t *testing.T) {
	w := newWorld(t)
	one, _ := w.pair()
	for body, want := range map[string]string{
		"{\n  \"billing\": {\n    \"salary\": 1,,\n  }\n}": `line 3, column 17: invalid character ','`,
		`{"billing":{"salary":1}`:                          `line 1, column 24: the text ends too early`,
		`{"billing":{"salary":1,"salary":2}}`:              `line 1, column 24: the name \"salary\" comes twice`,
		`{"billing":{"salary":01}}`:                        `line 1, column 23: invalid character '1'`,
		`{'billing':{}}`:                                   `line 1, column 2: invalid character`,
		`[1]`:                                              `must be an object of blocks`,
	} {
		if answer := one.call("PATCH", path, body, 400); !strings.Contains(answer, want) {
			t.Errorf("%s: %s, want %s", body, answer, want)
		}
	}
	for door, body := range map[string]string{at6 + "/undo": "{\n\"revision\":1,,}", at6 + "/import": "{\n\"version\": 1,}", path: "{\n\"set\":{\"a\":}}"} {
		method, headers := "POST", []string(nil)
		if door == path {
			method, headers = "PATCH", asFrame
		}
		if answer := one.call(method, door, body, 400, headers...); !strings.Contains(answer, "line 2, column 1") || !strings.Contains(answer, "invalid character") {
			t.Errorf("%s: %s", door, answer)
		}
	}
	if text := w.log.String(); strings.Contains(text, "request failed") {
		t.Errorf("what is the sender's side is in the log: %s", text)
	}
}

// Fault E8: long text of the caller, by every door that quotes it. No answer, no
// frame and no log line has more than 200 characters of it.
func TestCallersTextIsBounded(t *testing.T) {
	w := newWorld(t, anyValues)
	one, _ := w.pair()
	socket := one.join("")
	long := strings.Repeat("é😀", 1000)
	plain := strings.Repeat("x", 8000)
	bounded := func(door, answer string) {
		t.Helper()
		if n := strings.Count(answer, "é") + strings.Count(answer, "😀"); n > 3*200 { // as detail, field and message
			t.Errorf("%s: %d characters of ours in %.300s…", door, n, answer)
		}
		if n := strings.Count(answer, "xxxxxxxxxx"); n > 3*20 {
			t.Errorf("%s: %d characters of ours in %.300s…", door, 10*n, answer)
		}
		if strings.Contains(answer, "\ufffd") {
			t.Errorf("%s: cut through a character: %.300s…", door, answer)
		}
	}
	for door, request := range map[string][]string{
		"block":            {"PATCH", path, `{"` + long + `":{"b":1}}`},
		"block, no object": {"PATCH", path, `{"` + long + `":1}`},
		"block, empty":     {"PATCH", path, `{"` + long + `":{}}`},
		"key":              {"PATCH", path, `{"editor":{"` + long + `":1}}`},
		"key, twice":       {"PATCH", path, `{"editor":{"` + long + `":1,"` + long + `":1}}`},
		"value":            {"PATCH", path, `{"editor":{"zoom":"` + long + `"}}`},
		"no JSON":          {"PATCH", path, long},
		"frame":            {"PATCH", path, `{"` + long + `":1}`, asFrame[0], asFrame[1]},
		"base":             {"PATCH", path, `{"set":{"editor":{"zoom":1}},"base":{"` + long + `":1}}`, asFrame[0], asFrame[1]},
		"id":               {"PATCH", path, `{"editor":{"zoom":1}}`, "Idempotency-Key", plain},
		"tag":              {"PATCH", path, `{"editor":{"zoom":1}}`, "If-Match", `"` + plain + `"`},
		"media type":       {"PATCH", path, `{"editor":{"zoom":1}}`, "Content-Type", "application/" + plain},
		"member":           {"POST", at6 + "/undo", `{"` + long + `":1}`},
		"member, twice":    {"POST", at6 + "/undo", `{"` + long + `":1,"` + long + `":1}`},
		"import":           {"POST", at6 + "/import", document(`{"` + long + `":{"` + long + `":1}}`)},
		"import, format":   {"POST", at6 + "/import", `{"format":"` + long + `"}`},
		"user":             {"GET", "/users/" + plain + "/settings", ""},
		"new user":         {"POST", "/users", `{"username":"` + long + `"}`},
		"device":           {"PATCH", "/devices/" + plain, `{"name":"` + long + `"}`},
		"name":             {"POST", "/login", `{"deviceName":"` + long + `","password":"` + long + `"}`},
		"address":          {"GET", "/" + plain, ""},
		"since":            {"GET", path + "?since=" + plain, ""},
		"history":          {"GET", at6 + "/history?key=" + plain + "&limit=" + plain, ""},
		"flag":             {"POST", at6 + "/import?dryRun=" + plain, document(`{}`)},
		"method":           {plain, path, ""},
		"token":            {"GET", path, "", "Authorization", "Bearer " + plain},
		"origin":           {"POST", "/login", `{}`, "Origin", "https://" + plain},
	} {
		status, answer, _ := one.try(request[0], request[1], request[2], request[3:]...)
		if status/100 != 4 {
			t.Errorf("%s: %d %.300s", door, status, answer)
		}
		bounded(door, answer)
	}
	for _, set := range []string{`{"` + long + `":1}`, `{"` + long + `":{"b":1}}`, `{"editor":{"zoom":"` + long + `"}}`} {
		socket.send(`{"type":"patch","id":"p","set":` + set + `}`)
		bounded("refused", socket.until("refused"))
	}
	socket.send(`{"type":"patch","id":"p","set":{},"set` + long + `":{}}`)
	end := socket.end()
	if !strings.HasPrefix(end, "4500 ") {
		t.Errorf("ended with %s", end)
	}
	bounded("close", end)
	socket = one.join("")
	socket.send(`{"type":"preview","set":{"` + long + `":1}}`)
	if end := socket.end(); !strings.HasPrefix(end, "4500 é😀") || !utf8.ValidString(end) {
		t.Errorf("ended with %q", end)
	}
	for _, line := range bytes.Split([]byte(w.log.String()), []byte("\n")) {
		bounded("log", string(line))
	}
}
