package api

import (
	"bytes"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"social-server/internal/account"
	"social-server/internal/errs"
	"social-server/internal/protocol"
	"social-server/internal/settings"
)

// patchType is the media type of a patch frame sent as a body (SPEC P7).
const patchType = "application/vnd.settings-sync.patch+json"

// schema serves GET /api/v1/schema: the JSON Schema of the settings.
func (s *Server) schema(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/schema+json")
	_, err := w.Write(s.Settings.Schema.Text())
	return err
}

// user finds the user a path names, for a device that has joined it.
func (s *Server) user(r *http.Request) (account.Identity, account.User, error) {
	who := identity(r.Context())
	user, err := s.Accounts.Authorize(r.Context(), who, mux.Vars(r)["username"])
	return who, user, err
}

// getSettings serves GET /api/v1/users/{username}/settings: the effective
// settings, defaults filled in, and who chose each; with ?since= what changed.
func (s *Server) getSettings(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Query().Has("since") {
		return s.poll(w, r)
	}
	_, user, err := s.user(r)
	if err != nil {
		return err
	}
	head, entries, err := s.Settings.Changed(r.Context(), user.ID, 0)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(head.Epoch, head.Revision))
	known, _ := parseVersions(r.Header.Values("If-None-Match")) // what is no version of ours matches none
	if known.has(settings.Version{Epoch: head.Epoch, Revision: head.Revision}) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return writeRaw(w, http.StatusOK, s.effective(head, entries))
}

// effective encodes a user's settings as a person sees them: every key of the
// schema, chosen or default, and per key who chose it.
func (s *Server) effective(head settings.Head, entries []settings.Entry) []byte {
	chosen := make(map[settings.Key]settings.Value, len(entries))
	for _, e := range entries {
		chosen[e.Key] = e.Value
	}
	var all []settings.Entry
	for _, key := range s.Settings.Schema.Keys() {
		value, ok := chosen[key]
		if !ok || settings.Readable(value.Text) == settings.Null {
			value.Text = s.Settings.Schema.Default(key)
		}
		all = append(all, settings.Entry{Key: key, Value: value})
	}
	data := append([]byte(`{"epoch":`), strconv.Quote(head.Epoch)...)
	data = append(data, `,"revision":`...)
	data = strconv.AppendUint(data, head.Revision, 10)
	data = append(data, `,"settings":`...)
	data = protocol.AppendValues(data, all, func(data []byte, v settings.Value) []byte {
		return append(data, v.Text...)
	})
	data = append(data, `,"keys":`...)
	data = protocol.AppendValues(data, entries, protocol.AppendOrigin)
	return append(data, '}')
}

// patchSettings serves PATCH /api/v1/users/{username}/settings (SPEC P7).
func (s *Server) patchSettings(w http.ResponseWriter, r *http.Request) error {
	who, user, err := s.user(r)
	if err != nil {
		return err
	}
	patch, err := s.readPatch(w, r)
	if err != nil {
		return err
	}
	out, err := s.Settings.Apply(r.Context(), user.ID, who.DeviceID, patch)
	if err != nil {
		return err
	}
	if len(out.Answer.Conflict) > 0 {
		return &conflict{out.Answer.Conflict}
	}
	data := append([]byte(`{"epoch":`), strconv.Quote(out.Epoch)...)
	data = protocol.AppendAnswer(append(data, ','), patch.ID, out.Answer, out.Duplicate)
	w.Header().Set("ETag", etag(out.Epoch, out.Answer.Revision))
	return writeRaw(w, http.StatusOK, append(data, '}'))
}

// readPatch reads the body in either form, and the headers that belong to it.
func (s *Server) readPatch(w http.ResponseWriter, r *http.Request) (settings.Patch, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != patchType && kind != "application/json" && kind != "application/merge-patch+json" {
		return settings.Patch{}, errs.New(errs.Unsupported,
			"Send application/merge-patch+json or %s.", patchType)
	}
	body, err := readBody(w, r, int64(s.Wire.Limits.FrameBytes))
	if err != nil {
		return settings.Patch{}, err
	}
	var patch settings.Patch
	if kind == patchType {
		patch, err = protocol.DecodePatchBody(body)
	} else {
		patch.Set, err = settings.ParseSet(bytes.TrimSpace(body), s.Settings.Schema.BlockKeys)
	}
	if err != nil {
		return patch, err
	}
	return patch, patchHeaders(r, &patch)
}

// patchHeaders takes over Idempotency-Key and If-Match.
func patchHeaders(r *http.Request, patch *settings.Patch) error {
	if id := r.Header.Get("Idempotency-Key"); id != "" {
		id = strings.Trim(id, `"`) // the draft's form is a quoted string; plain is common
		if patch.ID != "" && patch.ID != id {
			return errs.Field("Idempotency-Key", "is not the id in the body")
		}
		patch.ID = id
	}
	if patch.ID == "" {
		patch.ID = settings.NewID()
	}
	at, ok := parseVersions(r.Header.Values("If-Match"))
	if !ok {
		return &errs.Error{Code: errs.Malformed, Field: "If-Match", Message: `must be "epoch.revision", a list of such, or *`}
	}
	patch.If = at.list
	return nil
}

// conflict is a patch refused because keys moved on: a problem with their
// current values beside it (SPEC P4).
type conflict struct{ current []settings.Entry }

// Error names the first key.
func (c *conflict) Error() string { return "conflict: " + c.current[0].Key.String() }

// Unwrap returns the conflict in the words every error has.
func (c *conflict) Unwrap() error {
	return &errs.Error{Code: errs.Conflict, Field: c.current[0].Key.String(), Message: protocol.ConflictMessage}
}

// Members returns what the problem says besides.
func (c *conflict) Members() []byte {
	return protocol.AppendValues([]byte(`"current":`), c.current, protocol.AppendValue)
}
