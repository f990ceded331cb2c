package doctor

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// schema picks a key of the schema that the server has, whatever the schema of
// this configuration is: the two may be started from different environments.
func (v *Visit) schema(ctx context.Context) Finding {
	if v.token == "" {
		return passed("nobody could log in")
	}
	var schema struct {
		Properties map[string]struct {
			Properties map[string]any `json:"properties"`
		} `json:"properties"`
	}
	if _, err := v.Public.ask(ctx, call{method: http.MethodGet, path: root + "/schema", token: v.token}, &schema); err != nil {
		return Bad("the schema of the settings cannot be read: %v", err)
	}
	for _, block := range slices.Sorted(maps.Keys(schema.Properties)) {
		for _, key := range slices.Sorted(maps.Keys(schema.Properties[block].Properties)) {
			v.reset = map[string]map[string]any{block: {key: nil}} // null fits every key (SPEC V1)
			return Good("%s.%s is there to be changed", block, key)
		}
	}
	return Doubtful("the schema names no key, so no change can be tried")
}

// cannotPatch returns the finding of a check that needs a change and cannot make
// one; nil if it can.
func (v *Visit) cannotPatch() *Finding {
	var f Finding
	switch {
	case v.token == "":
		f = passed("nobody could log in")
	case v.reset == nil:
		f = passed("there is no setting to change")
	default:
		return nil
	}
	return &f
}

// etag compares the tag of a version with the version itself, and sends it back
// as If-Match. A proxy that compresses an answer makes its tag a weak one.
func (v *Visit) etag(ctx context.Context) Finding {
	if f := v.cannotPatch(); f != nil {
		return *f
	}
	version, err := v.patch(ctx, v.Public, nil)
	if err != nil {
		return Bad("a setting cannot be changed: %v", err)
	}
	tag, err := v.tag(ctx)
	if err != nil {
		return Bad("the settings cannot be read: %v", err)
	}
	if tag == "" {
		return Bad("the answer has no ETag: a proxy drops it, and a change cannot be bound to a version").with(needETag.advice())
	}
	_, err = v.patch(ctx, v.Public, map[string]string{"If-Match": tag})
	switch {
	case err != nil:
		return Bad("the ETag %s of the version %s is not taken back as If-Match: %v; a proxy changes it, as compression (gzip) does", tag, version, err).
			with(needETag.advice())
	case strings.HasPrefix(tag, "W/"):
		return Doubtful("a proxy compresses answers (gzip) and makes their ETag weak: %s; the server takes it, other programs may not", tag).
			with(needETag.advice())
	case tag != `"`+version+`"`:
		return Doubtful("a proxy changes the ETag of the version %s to %s; the server takes it, other programs may not", version, tag).
			with(needETag.advice())
	}
	return Good("a version is taken back as it was given")
}

// tag returns the ETag of the guest's settings, as a browser gets it.
func (v *Visit) tag(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	answer, err := v.Public.do(ctx, call{
		method: http.MethodGet, path: v.user("/settings"), token: v.token,
		header: map[string]string{"Accept-Encoding": "gzip, deflate, br, zstd"},
	})
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("GET %s is answered with %s", v.user("/settings"), status(answer))
	}
	return answer.Header.Get("ETag"), nil
}
