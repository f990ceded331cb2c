package protocol

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"social-server/internal/errs"
	"social-server/internal/settings"
)

func golden(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", path+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(text, []byte("\n"))
}

func at(text string) time.Time {
	v, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return v
}

var (
	salary   = settings.Key{Block: "billing", Name: "salary"}
	email    = settings.Key{Block: "user", Name: "email"}
	username = settings.Key{Block: "user", Name: "username"}
	terms    = settings.Key{Block: "user", Name: "acceptedTerms"}

	salary43 = settings.Entry{Key: salary, Value: settings.Value{Text: "3000", Revision: 43, Device: "d_2", At: at("2026-11-23T09:00:00Z")}}
	email46  = settings.Entry{Key: email, Value: settings.Value{Text: "null", Revision: 46, Device: "d_1", At: at("2026-11-23T09:00:02.5Z")}}
)

// serverFrames are the golden frames of testdata/server as the server makes them.
var serverFrames = map[string]*Frame{
	"welcome": Welcome{
		Session: "s_7q2m", Device: Device{"d_1", "Chrome.test6"}, Username: "TestUser6", Epoch: "k3f9", Revision: 46,
		TokenExpires: at("2026-11-23T09:15:00Z"), Limits: Limits{32768, 8192, 30, 60, 25},
	}.Encode(),
	"change": Change("k3f9", settings.Change{From: 41, Revision: 46, Entries: []settings.Entry{salary43, email46}}),
	"change-whole": Change("k3f9", settings.Change{From: 0, Revision: 2, Entries: []settings.Entry{
		{Key: username, Value: settings.Value{Text: `"Zo\u00eb"`, Revision: 1, Device: "d_1", At: at("2026-11-23T08:59:00Z")}},
		{Key: terms, Value: settings.Value{Text: "false", Revision: 2, Device: "d_1", At: at("2026-11-23T09:00:00Z")}},
	}}),
	"change-empty": Change("k3f9", settings.Change{From: 46, Revision: 46}),
	"presence": Presences(true, []Presence{
		{ID: "d_2", Name: "Firefox.test6", Sessions: 2, LastSeen: at("2026-11-23T09:00:00Z"), Focus: "billing.salary", Seen: 46},
		{ID: "d_3", Name: "Phone", LastSeen: at("2026-11-20T07:00:00Z"), Seen: 12},
	}),
	"ready": Ready(46),
	"ack":   Ack("01JH8Z6Q4N5C", settings.Answer{Revision: 47}, false),
	"ack-overwrote": Ack("01JH8Z6Q4N5C", settings.Answer{Revision: 47, Overwrote: []settings.Entry{
		{Key: salary, Value: settings.Value{Text: "2500", Revision: 43, Device: "d_2"}},
	}}, true),
	"refused":          Refused("01JH8Z6Q4N5C", errs.From(errs.Field("billing.salary", "must be at most 10000"))),
	"refused-conflict": Conflict("01JH8Z6Q4N5C", []settings.Entry{salary43}),
	"refused-later": Refused("01JH8Z6Q4N5C", &errs.Error{
		Code: errs.RateLimited, Message: "Too many frames at once.", RetryAfter: time.Second,
	}),
	"preview": Previewed([]settings.Assignment{{Key: salary, Text: "2710"}}, "d_1"),
	"device":  DeviceEvent("joined", Device{"d_3", "Phone"}),
	"device-asks": Asks(Device{"d_4", "Phone of anna"}, Ask{
		ID: "q_5n2k", Email: "anna@…", Expires: at("2026-11-23T09:10:00Z"),
	}),
	"notice": Notice{
		Event: "login", Device: Device{"d_2", "Firefox.test6"}, Address: "203.0.113.7",
		Detail: "Firefox on Linux", At: at("2026-11-23T09:00:03Z"),
	}.Encode(),
	"ping":     Ping(47, 0x9f3a12bc),
	"auth-due": AuthDue(2 * time.Minute),
	"bye":      Bye(CloseRestart, "restart", 8400*time.Millisecond),
}

func TestServerFramesAreTheGoldenOnes(t *testing.T) {
	files, err := filepath.Glob("testdata/server/*.json")
	if err != nil || len(files) != len(serverFrames) {
		t.Errorf("%d golden files, %d frames made here (%v)", len(files), len(serverFrames), err)
	}
	for name, frame := range serverFrames {
		if want := golden(t, "server/"+name); !bytes.Equal(frame.Data, want) {
			t.Errorf("%s\n got %s\nwant %s", name, frame.Data, want)
		}
		if !bytes.HasPrefix(frame.Data, []byte(`{"type":"`+frame.Type+`"`)) {
			t.Errorf("%s: Type %q is not its type", name, frame.Type)
		}
	}
}

// [SPEC V2] A value's text comes through byte for byte.
func TestDecodeClientFrames(t *testing.T) {
	set := func(key settings.Key, text string) []settings.Assignment {
		return []settings.Assignment{{Key: key, Text: text}}
	}
	const token = "eyJhbGciOiJIUzI1NiJ9.e30.c2ln"
	want := map[string]ClientFrame{
		"hello":          Hello{Token: token, Resume: &settings.Version{Epoch: "k3f9", Revision: 41}},
		"hello-first":    Hello{},
		"preview":        Preview{set(salary, "2710")},
		"focus":          Focus{"billing.salary"},
		"focus-nothing":  Focus{},
		"auth":           Auth{token},
		"sync":           Sync{45},
		"pong":           Pong{46},
		"patch-verbatim": Patch{Patch: settings.Patch{ID: "a", Set: set(username, `"Zo\u00eb \ud83d\ude00 é"`)}},
		"patch": Patch{Patch: settings.Patch{
			ID:   "01JH8Z6Q4N5C",
			Set:  append(set(salary, "3000"), set(email, "null")...),
			Base: map[settings.Key]uint64{salary: 41},
		}},
	}
	files, err := filepath.Glob("testdata/client/*.json")
	if err != nil || len(files) != len(want) {
		t.Errorf("%d golden files, %d expected here (%v)", len(files), len(want), err)
	}
	for name, frame := range want {
		got, err := Decode(golden(t, "client/"+name))
		if err != nil || !reflect.DeepEqual(got, frame) {
			t.Errorf("%s: got %#v, %v; want %#v", name, got, err, frame)
		}
	}
}

// [SPEC V4] [SPEC E3] What is not a frame is refused, whatever is wrong with it.
func TestDecodeRefuses(t *testing.T) {
	files, err := filepath.Glob("testdata/refused/*.json")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d golden files (%v)", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if frame, err := Decode(text); !errs.Is(err, errs.Malformed) {
			t.Errorf("%s: got %#v, %v; want a malformed error", file, frame, err)
		}
	}
}

// [SPEC E3] A patch whose id could be read is refused by it, and the session lives.
func TestDecodeBadPatchKeepsItsID(t *testing.T) {
	for _, text := range []string{
		`{"type":"patch","id":"p1","set":[]}`,
		`{"type":"patch","id":"p1"}`,
		`{"type":"patch","id":"p1","set":{"billing":null}}`,
		`{"type":"patch","id":"p1","set":{"billing":{"salary":1}},"base":{"billing":4}}`,
		`{"type":"patch","id":"p1","set":{"billing":{"salary":1}},"base":{"billing":{"salary":-4}}}`,
	} {
		frame, err := Decode([]byte(text))
		patch, ok := frame.(Patch)
		if err != nil || !ok || patch.Patch.ID != "p1" || !errs.Is(patch.Err, errs.Malformed) {
			t.Errorf("%s: got %#v, %v", text, frame, err)
		}
	}
}

// A type may be written with escapes, and need not come first.
func TestDecodeTypeAnywhere(t *testing.T) {
	for _, text := range []string{
		`{"revision":4,"type":"sync"}`, `{"type":"sy\u006ec","revision":4}`, ` { "type" : "sync" , "revision" : 4 } `,
	} {
		if frame, err := Decode([]byte(text)); err != nil || frame != (Sync{4}) {
			t.Errorf("%s: got %#v, %v", text, frame, err)
		}
	}
}

func TestDecodePatchBody(t *testing.T) {
	p, err := DecodePatchBody([]byte(`{"id":"x","set":{"billing":{"salary":1}}}`))
	if err != nil || p.ID != "x" || len(p.Set) != 1 {
		t.Errorf("got %+v, %v", p, err)
	}
	for _, text := range []string{`{"type":"hello","set":{}}`, `{"set":{},"more":1}`, `[]`, ``} {
		if _, err := DecodePatchBody([]byte(text)); !errs.Is(err, errs.Malformed) {
			t.Errorf("%s: %v, want malformed", text, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, dir := range []string{"client", "refused", "server"} {
		files, err := filepath.Glob("testdata/" + dir + "/*.json")
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		frame, err := Decode(text)
		if err != nil {
			if !errs.Is(err, errs.Malformed) {
				t.Fatalf("%q: an error that is not malformed: %v", text, err)
			}
			return
		}
		patch, ok := frame.(Patch)
		if !ok || patch.Err != nil {
			return
		}
		for _, a := range patch.Patch.Set {
			if !strings.Contains(string(text), a.Text) {
				t.Fatalf("value %q is not in the text it came from, %q", a.Text, text)
			}
		}
	})
}
