package api

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"social-server/internal/account"
	"social-server/internal/errs"
	"social-server/internal/protocol"
	"social-server/internal/settings"
	"social-server/internal/strictjson"
)

// What an exported document says it is (SPEC U7).
const (
	exportFormat  = "social-server.settings"
	exportVersion = 1
)

// exported is a document of one user's settings, as it is read. format, version
// and settings are enough: the rest is for people. It is written by hand, so
// that values keep their text (SPEC V2).
type exported struct {
	Format     string         `json:"format"`
	Version    int            `json:"version"`
	ExportedAt string         `json:"exportedAt"`
	Username   string         `json:"username"`
	Schema     string         `json:"schema"`
	Epoch      string         `json:"epoch"`
	Revision   uint64         `json:"revision"`
	Settings   jsontext.Value `json:"settings"`
	Keys       jsontext.Value `json:"keys"`
}

// exportSettings serves GET /api/v1/users/{username}/export: what people chose,
// without defaults, and who chose it, as a file that import takes (SPEC U7).
func (s *Server) exportSettings(w http.ResponseWriter, r *http.Request) error {
	who, user, err := s.user(r)
	if err != nil {
		return err
	}
	head, entries, err := s.Settings.Changed(r.Context(), user.ID, 0)
	if err != nil {
		return err
	}
	names, err := s.deviceNames(r, who, user.Username)
	if err != nil {
		return err
	}
	chosen := slices.DeleteFunc(entries, func(e settings.Entry) bool { return settings.Readable(e.Text) == settings.Null })
	file := fmt.Sprintf("settings-%s-%d.json", user.Username, head.Revision)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": file}))
	w.Header().Set("ETag", etag(head.Epoch, head.Revision))
	data := fmt.Appendf(nil, `{"format":"%s","version":%d,"exportedAt":"%s","username":`, exportFormat, exportVersion, protocol.FormatTime(time.Now()))
	data = quote(data, user.Username)
	data = quote(append(data, `,"schema":`...), s.Settings.Schema.Title())
	data = quote(append(data, `,"epoch":`...), head.Epoch)
	data = fmt.Appendf(data, `,"revision":%d,"settings":`, head.Revision)
	data = protocol.AppendValues(data, chosen, func(data []byte, v settings.Value) []byte { return append(data, v.Text...) })
	data = protocol.AppendValues(append(data, `,"keys":`...), chosen, func(data []byte, v settings.Value) []byte {
		return protocol.AppendNamedOrigin(data, v, names[v.Device])
	})
	return writeRaw(w, http.StatusOK, append(data, '}'))
}

// quote appends a JSON string; what it is given is valid UTF-8, like all that is stored.
func quote(data []byte, text string) []byte {
	data, _ = jsontext.AppendQuote(data, text)
	return data
}

// deviceNames returns the names of a user's members by id; a device that left
// has none any more.
func (s *Server) deviceNames(r *http.Request, who account.Identity, username string) (map[string]string, error) {
	members, err := s.Accounts.Members(r.Context(), who, username)
	names := make(map[string]string, len(members))
	for _, m := range members {
		names[m.ID] = m.Name
	}
	return names, err
}

// importSettings serves POST /api/v1/users/{username}/import: the settings of an
// exported document, all of them or, if one does not fit, none (SPEC U8). Keys
// that the document does not name stay as they are.
func (s *Server) importSettings(w http.ResponseWriter, r *http.Request) error {
	dryRun, err := flag(r, "dryRun")
	if err != nil {
		return err
	}
	patch, err := s.readExported(w, r)
	if err != nil {
		return err
	}
	return s.apply(w, r, patch, dryRun)
}

// readExported reads a document into a patch, naming every key that does not fit.
func (s *Server) readExported(w http.ResponseWriter, r *http.Request) (settings.Patch, error) {
	var patch settings.Patch
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return patch, errs.New(errs.Unsupported, "Send application/json.")
	}
	most := int64(4 * s.Settings.Limits.UserBytes) // escapes, indentation and who chose what
	text, err := readBody(w, r, most)
	if err != nil {
		return patch, err
	}
	var doc exported
	if err := strictjson.Unmarshal(text, &doc); err != nil {
		return patch, bodyError(err)
	}
	switch {
	case doc.Format != exportFormat:
		return patch, errs.Field("format", "must be %s", exportFormat)
	case doc.Version != exportVersion:
		return patch, errs.Field("version", "must be %d: another one needs another server", exportVersion)
	case doc.Settings.Kind() != '{':
		return patch, errs.Field("settings", "must be an object of blocks")
	}
	if patch.Set, err = settings.ParseSet(doc.Settings, nil); err != nil {
		return patch, err
	}
	var unfit []error
	for _, a := range patch.Set {
		unfit = append(unfit, s.Settings.Schema.Check(a.Key, a.Text))
	}
	return patch, errors.Join(unfit...)
}

// flag reads a yes or no of the address; absent is no.
func flag(r *http.Request, name string) (bool, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return false, nil
	}
	yes, err := strconv.ParseBool(text)
	if err != nil {
		return false, errs.Field(name, "must be 1 or 0")
	}
	return yes, nil
}
