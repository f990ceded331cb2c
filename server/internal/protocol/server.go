// Package protocol is the wire: every frame a device or the server may send,
// encoded and decoded in one place. SPEC.md gives its rules, testdata its
// golden frames.
package protocol

import (
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"social-server/internal/errs"
	"social-server/internal/settings"
)

// Subprotocol is what a WebSocket client offers to speak this version.
const Subprotocol = "settings-sync.v1"

// Close codes (SPEC E1). 4000–4499 come back, 4500–4999 do not.
const (
	CloseBinary      = 1003
	CloseBadUTF8     = 1007
	CloseTooBig      = 1009
	CloseFault       = 1011
	CloseRestart     = 4000
	CloseExpired     = 4001
	CloseSlow        = 4002
	CloseNoPong      = 4003
	CloseRateLimited = 4004
	CloseEpoch       = 4005
	CloseProtocol    = 4500
	CloseSignedOut   = 4501
	CloseRevoked     = 4503
	CloseTooMany     = 4504
	CloseNotMember   = 4506
)

// Frame is one encoded server frame. It is immutable and shared by all sessions
// that are sent it.
type Frame struct {
	Type string // the member "type", SSE's event name
	Data []byte // the JSON object
	ID   string // SSE's id, "epoch.revision"; only on change
}

// Device names a device in frames.
type Device struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Limits tells a device what it may send.
type Limits struct {
	FrameBytes      int `json:"frameBytes"`
	ValueBytes      int `json:"valueBytes"`
	FramesPerSecond int `json:"framesPerSecond"`
	FrameBurst      int `json:"frameBurst"`
	PingSeconds     int `json:"pingSeconds"`
}

// Welcome opens a session.
type Welcome struct {
	Session      string
	Device       Device
	Username     string
	Epoch        string
	Revision     uint64
	TokenExpires time.Time
	Limits       Limits
}

// Presence is one member's entry in a presence frame (SPEC L3).
type Presence struct {
	ID       string
	Name     string
	Sessions int
	LastSeen time.Time
	Focus    string // "" is nothing
	Seen     uint64
}

// timeLayout is RFC 3339 in UTC with milliseconds (SPEC V6).
const timeLayout = "2006-01-02T15:04:05.000Z"

// FormatTime returns a time as the wire shows it.
func FormatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

// marshal encodes a frame whose members cannot fail to be encoded.
func marshal(kind string, v any) *Frame {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // the types of this file hold only strings and numbers
	}
	return &Frame{Type: kind, Data: data}
}

// Encode returns the welcome frame.
func (w Welcome) Encode() *Frame {
	return marshal("welcome", struct {
		Type         string `json:"type"`
		Session      string `json:"session"`
		Device       Device `json:"device"`
		Username     string `json:"username"`
		Epoch        string `json:"epoch"`
		Revision     uint64 `json:"revision"`
		TokenExpires string `json:"tokenExpires"`
		Limits       Limits `json:"limits"`
	}{"welcome", w.Session, w.Device, w.Username, w.Epoch, w.Revision, FormatTime(w.TokenExpires), w.Limits})
}

// Change encodes what brings a device from a revision to another (SPEC S2).
// entries may be in any order; they are not changed.
func Change(epoch string, c settings.Change) *Frame {
	data := make([]byte, 0, 128+160*len(c.Entries))
	data = append(data, `{"type":"change",`...)
	data = AppendVersion(data, epoch, c)
	data = append(data, '}')
	return &Frame{Type: "change", Data: data, ID: VersionID(epoch, c.Revision)}
}

// AppendVersion appends the members of a change but its type, which is the
// answer of a long-poll too (SPEC H2).
func AppendVersion(data []byte, epoch string, c settings.Change) []byte {
	data = append(data, `"epoch":`...)
	data = appendString(data, epoch)
	data = append(data, `,"from":`...)
	data = appendUint(data, c.From)
	data = append(data, `,"revision":`...)
	data = appendUint(data, c.Revision)
	data = append(data, `,"values":`...)
	return AppendValues(data, c.Entries, AppendValue)
}

// VersionID returns "epoch.revision": SSE's id, and the ETag's text.
func VersionID(epoch string, revision uint64) string {
	return string(appendUint([]byte(epoch+"."), revision))
}

// AppendValues appends {"block":{"key":…}} with each entry's value encoded by
// value, ordered by block and key.
func AppendValues(data []byte, entries []settings.Entry, value func([]byte, settings.Value) []byte) []byte {
	if !slices.IsSortedFunc(entries, byKey) {
		entries = slices.Clone(entries)
		slices.SortFunc(entries, byKey)
	}
	data = append(data, '{')
	for i, e := range entries {
		switch {
		case i == 0:
			data = append(appendString(data, e.Block), ":{"...)
		case entries[i-1].Block != e.Block:
			data = append(appendString(append(data, "},"...), e.Block), ":{"...)
		default:
			data = append(data, ',')
		}
		data = append(appendString(data, e.Name), ':')
		data = value(data, e.Value)
	}
	if len(entries) > 0 {
		data = append(data, '}')
	}
	return append(data, '}')
}

func byKey(a, b settings.Entry) int { return a.Key.Compare(b.Key) }

// AppendValue appends {"value","revision","device","at"}; the value's text as
// received, unless no device can read it (SPEC V7).
func AppendValue(data []byte, v settings.Value) []byte {
	data = append(data, `{"value":`...)
	data = append(data, settings.Readable(v.Text)...)
	data = append(data, `,"revision":`...)
	data = appendUint(data, v.Revision)
	data = append(data, `,"device":`...)
	data = appendString(data, v.Device)
	data = append(data, `,"at":"`...)
	data = v.At.UTC().AppendFormat(data, timeLayout)
	return append(data, `"}`...)
}

// AppendOrigin appends {"revision","device","at"}: who chose a value, and when.
func AppendOrigin(data []byte, v settings.Value) []byte {
	data = append(data, `{"revision":`...)
	data = appendUint(data, v.Revision)
	data = append(data, `,"device":`...)
	data = appendString(data, v.Device)
	data = append(data, `,"at":"`...)
	data = v.At.UTC().AppendFormat(data, timeLayout)
	return append(data, `"}`...)
}

// AppendNamedOrigin is AppendOrigin with the device's name beside its id: a
// document that leaves the server has no other place to look it up. name may be "".
func AppendNamedOrigin(data []byte, v settings.Value, name string) []byte {
	data = append(data, `{"revision":`...)
	data = appendUint(data, v.Revision)
	data = append(data, `,"device":{"id":`...)
	data = appendString(data, v.Device)
	data = append(data, `,"name":`...)
	data = appendString(data, name)
	data = append(data, `},"at":"`...)
	data = v.At.UTC().AppendFormat(data, timeLayout)
	return append(data, `"}`...)
}

// appendReplaced appends {"value","device","revision"}, a value that is no more.
func appendReplaced(data []byte, v settings.Value) []byte {
	data = append(data, `{"value":`...)
	data = append(data, settings.Readable(v.Text)...)
	data = append(data, `,"device":`...)
	data = appendString(data, v.Device)
	data = append(data, `,"revision":`...)
	return append(appendUint(data, v.Revision), '}')
}

// Presences encodes members; full replaces the whole list (SPEC L3).
func Presences(full bool, members []Presence) *Frame {
	type entry struct {
		ID       string  `json:"id"`
		Name     string  `json:"name"`
		Online   bool    `json:"online"`
		Sessions int     `json:"sessions"`
		LastSeen string  `json:"lastSeen"`
		Focus    *string `json:"focus"`
		Seen     uint64  `json:"seen"`
	}
	entries := make([]entry, len(members))
	for i, m := range members {
		entries[i] = entry{m.ID, m.Name, m.Sessions > 0, m.Sessions, FormatTime(m.LastSeen), nil, m.Seen}
		if m.Focus != "" {
			entries[i].Focus = &m.Focus
		}
	}
	return marshal("presence", struct {
		Type    string  `json:"type"`
		Full    bool    `json:"full"`
		Devices []entry `json:"devices"`
	}{"presence", full, entries})
}

// Ready ends the opening: patches are accepted from here.
func Ready(revision uint64) *Frame {
	data := appendUint([]byte(`{"type":"ready","revision":`), revision)
	return &Frame{Type: "ready", Data: append(data, '}')}
}

// Ack answers a stored patch (SPEC P2).
func Ack(id string, a settings.Answer, duplicate bool) *Frame {
	data := make([]byte, 0, 96)
	data = append(data, `{"type":"ack",`...)
	data = AppendAnswer(data, id, a, duplicate)
	return &Frame{Type: "ack", Data: append(data, '}')}
}

// AppendAnswer appends the members of an ack but its type, which PATCH answers too.
func AppendAnswer(data []byte, id string, a settings.Answer, duplicate bool) []byte {
	data = append(data, `"id":`...)
	data = appendString(data, id)
	data = append(data, `,"revision":`...)
	data = appendUint(data, a.Revision)
	if len(a.Overwrote) > 0 {
		data = append(data, `,"overwrote":`...)
		data = AppendValues(data, a.Overwrote, appendReplaced)
	}
	if duplicate {
		return append(data, `,"duplicate":true`...)
	}
	return append(data, `,"duplicate":false`...)
}

// ConflictMessage is what a conflict says of itself, over WebSocket and HTTP.
const ConflictMessage = "Changed since."

// Conflict refuses a patch whose keys moved on above their base (SPEC P4).
func Conflict(id string, current []settings.Entry) *Frame {
	f := Refused(id, &errs.Error{Code: errs.Conflict, Field: current[0].Key.String(), Message: ConflictMessage})
	data := append(f.Data[:len(f.Data)-1], `,"current":`...)
	data = AppendValues(data, current, AppendValue)
	f.Data = append(data, '}')
	return f
}

// Refused answers a patch that was not stored (SPEC P3).
func Refused(id string, e *errs.Error) *Frame {
	return marshal("refused", struct {
		Type    string `json:"type"`
		ID      string `json:"id"`
		Code    string `json:"code"`
		Message string `json:"message"`
		Field   string `json:"field,omitzero"`
		RetryIn int64  `json:"retryIn,omitzero"`
	}{"refused", id, string(e.Code), e.Message, e.Field, e.RetryAfter.Milliseconds()})
}

// Previewed passes a preview on to the other sessions (SPEC L1).
func Previewed(set []settings.Assignment, device string) *Frame {
	entries := make([]settings.Entry, len(set))
	for i, a := range set {
		entries[i] = settings.Entry{Key: a.Key, Value: settings.Value{Text: a.Text}}
	}
	data := AppendValues([]byte(`{"type":"preview","set":`), entries, func(data []byte, v settings.Value) []byte {
		return append(data, v.Text...)
	})
	data = append(data, `,"device":`...)
	data = appendString(data, device)
	return &Frame{Type: "preview", Data: append(data, '}')}
}

// DeviceEvent tells of a member that joined, left, was renamed or revoked, or asks to join.
func DeviceEvent(event string, d Device) *Frame {
	return marshal("device", struct {
		Type   string `json:"type"`
		Event  string `json:"event"`
		Device Device `json:"device"`
	}{"device", event, d})
}

// Ping asks for a sign of life and lets the device check its seal (SPEC S6, S7).
func Ping(revision uint64, seal uint32) *Frame {
	data := appendUint([]byte(`{"type":"ping","revision":`), revision)
	data = append(data, `,"seal":"`...)
	data = AppendSeal(data, seal)
	return &Frame{Type: "ping", Data: append(data, `"}`...)}
}

// AppendSeal appends a seal as 8 lower-case hex digits.
func AppendSeal(data []byte, seal uint32) []byte {
	const hex = "0123456789abcdef"
	for shift := 28; shift >= 0; shift -= 4 {
		data = append(data, hex[seal>>shift&15])
	}
	return data
}

// AuthDue says how long the session's token still lasts.
func AuthDue(in time.Duration) *Frame {
	return marshal("authDue", struct {
		Type string `json:"type"`
		In   int    `json:"in"`
	}{"authDue", max(0, int(in.Seconds()))})
}

// Bye announces a planned close (SPEC E5).
func Bye(code int, reason string, retryIn time.Duration) *Frame {
	return marshal("bye", struct {
		Type    string `json:"type"`
		Code    int    `json:"code"`
		Reason  string `json:"reason"`
		RetryIn int64  `json:"retryIn"`
	}{"bye", code, reason, retryIn.Milliseconds()})
}

func appendString(data []byte, s string) []byte {
	data, _ = jsontext.AppendQuote(data, s) // fails only on invalid UTF-8, which no stored name has
	return data
}
