package protocol

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"social-server/internal/errs"
	"social-server/internal/settings"
	"social-server/internal/strictjson"
)

// maxRevision is the largest integer every JSON reader holds exactly (RFC 7493).
const maxRevision = 1<<53 - 1

// maxField is the longest "block.key": two names of 64 and the dot.
const maxField = 129

// ClientFrame is a frame from a device: one of the types below.
type ClientFrame interface{ clientFrame() }

// The frames a device may send (SPEC C, S, P, L, A).
type (
	// Hello opens a session. Token is empty when the upgrade carried it.
	Hello struct {
		Token  string
		Resume *settings.Version
	}
	// Patch changes settings. Err is set when the frame named a patch whose
	// content is bad: it is refused by id, and the session lives (SPEC E3).
	Patch struct {
		Patch settings.Patch
		Err   error
	}
	// Preview is a volatile value, while dragging.
	Preview struct{ Set []settings.Assignment }
	// Focus is what is being edited; "" is nothing.
	Focus struct{ Field string }
	// Auth renews the session with a newer token.
	Auth struct{ Token string }
	// Sync asks to be brought from a revision to now.
	Sync struct{ Revision uint64 }
	// Pong answers a ping, or tells unasked what the device has shown.
	Pong struct{ Seen uint64 }
)

func (Hello) clientFrame()   {}
func (Patch) clientFrame()   {}
func (Preview) clientFrame() {}
func (Focus) clientFrame()   {}
func (Auth) clientFrame()    {}
func (Sync) clientFrame()    {}
func (Pong) clientFrame()    {}

// Decode reads one frame from a device. Its error is for the close reason: the
// frame broke the protocol (SPEC E3).
func Decode(text []byte) (ClientFrame, error) {
	kind, err := frameType(text)
	if err != nil {
		return nil, err
	}
	switch string(kind) {
	case "hello":
		return decodeHello(text)
	case "patch":
		return decodePatch(text)
	case "preview":
		return decodePreview(text)
	case "focus":
		return decodeFocus(text)
	case "auth":
		var f struct {
			Type  string `json:"type"`
			Token string `json:"token"`
		}
		err := unmarshal(text, &f)
		return Auth{f.Token}, err
	case "sync":
		var f struct {
			Type     string `json:"type"`
			Revision uint64 `json:"revision"`
		}
		err := unmarshal(text, &f)
		return Sync{f.Revision}, errors.Join(err, checkRevision("revision", f.Revision))
	case "pong":
		var f struct {
			Type string `json:"type"`
			Seen uint64 `json:"seen"`
		}
		err := unmarshal(text, &f)
		return Pong{f.Seen}, errors.Join(err, checkRevision("seen", f.Seen))
	}
	return nil, malformed("type", "is not one a device sends")
}

// frameType reads just the member "type". Devices of ours send it first, which
// costs no second pass over the text.
func frameType(text []byte) ([]byte, error) {
	const first = `{"type":"`
	if rest, ok := bytes.CutPrefix(text, []byte(first)); ok {
		if end := bytes.IndexByte(rest, '"'); end >= 0 && bytes.IndexByte(rest[:end], '\\') < 0 {
			return rest[:end], nil
		}
	}
	var any map[string]jsontext.Value
	if err := strictjson.Unmarshal(text, &any); err != nil || any == nil {
		return nil, malformed("", "must be one JSON object")
	}
	kind, err := jsontext.AppendUnquote(nil, any["type"])
	if err != nil {
		return nil, malformed("type", "must be a string")
	}
	return kind, nil
}

func decodeHello(text []byte) (ClientFrame, error) {
	var f struct {
		Type   string `json:"type"`
		Token  string `json:"token"`
		Resume *struct {
			Epoch    string `json:"epoch"`
			Revision uint64 `json:"revision"`
		} `json:"resume"`
	}
	if err := unmarshal(text, &f); err != nil {
		return nil, err
	}
	hello := Hello{Token: f.Token}
	if f.Resume != nil {
		if err := checkRevision("resume.revision", f.Resume.Revision); err != nil {
			return nil, err
		}
		hello.Resume = &settings.Version{Epoch: f.Resume.Epoch, Revision: f.Resume.Revision}
	}
	return hello, nil
}

type patchFrame struct {
	Type string         `json:"type"`
	ID   string         `json:"id"`
	Set  jsontext.Value `json:"set"`
	Base jsontext.Value `json:"base"`
}

func decodePatch(text []byte) (ClientFrame, error) {
	var f patchFrame
	if err := unmarshal(text, &f); err != nil {
		return nil, err
	}
	if settings.CheckID(f.ID) != nil {
		return nil, malformed("id", "must be 1 to 64 letters, digits or . _ : -")
	}
	patch, err := f.patch()
	return Patch{patch, err}, nil
}

// DecodePatchBody reads the body of PATCH that is a patch frame without its
// type (SPEC P7).
func DecodePatchBody(text []byte) (settings.Patch, error) {
	var f patchFrame
	if err := unmarshal(text, &f); err != nil {
		return settings.Patch{}, err
	}
	if f.Type != "" && f.Type != "patch" {
		return settings.Patch{}, malformed("type", "must be patch, or absent")
	}
	return f.patch()
}

func (f patchFrame) patch() (settings.Patch, error) {
	p := settings.Patch{ID: f.ID}
	var err error
	if p.Set, err = readSet(f.Set); err != nil {
		return p, err
	}
	if len(p.Set) == 0 {
		return p, errs.Field("set", "must name at least one key")
	}
	if f.Base == nil {
		return p, nil
	}
	p.Base, err = settings.ParseBase(f.Base)
	return p, err
}

func decodePreview(text []byte) (ClientFrame, error) {
	var f struct {
		Type string         `json:"type"`
		Set  jsontext.Value `json:"set"`
	}
	if err := unmarshal(text, &f); err != nil {
		return nil, err
	}
	set, err := readSet(f.Set)
	if err != nil {
		return nil, err
	}
	return Preview{set}, nil
}

// readSet reads the member set of a frame.
func readSet(text jsontext.Value) ([]settings.Assignment, error) {
	if text == nil {
		return nil, malformed("set", "is missing")
	}
	return settings.ParseSet(text, nil)
}

func decodeFocus(text []byte) (ClientFrame, error) {
	var f struct {
		Type  string  `json:"type"`
		Field *string `json:"field"`
	}
	if err := unmarshal(text, &f); err != nil || f.Field == nil {
		return Focus{}, err
	}
	if len(*f.Field) > maxField {
		return nil, malformed("field", "is too long")
	}
	return Focus{*f.Field}, nil
}

func checkRevision(field string, n uint64) error {
	if n > maxRevision {
		return malformed(field, "is too large")
	}
	return nil
}

func unmarshal(text []byte, into any) error {
	err := strictjson.Unmarshal(text, into)
	if err == nil {
		return nil
	}
	var syntax *strictjson.SyntaxError
	if errors.As(err, &syntax) {
		return malformed("", "is not JSON: "+syntax.Error())
	}
	return malformed("", "is not a frame of its type")
}

func malformed(field, message string) error {
	return &errs.Error{Code: errs.Malformed, Field: field, Message: message}
}

func appendUint(data []byte, n uint64) []byte { return strconv.AppendUint(data, n, 10) }
