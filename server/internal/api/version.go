package api

import (
	"slices"
	"strconv"
	"strings"

	"social-server/internal/protocol"
	"social-server/internal/settings"
)

// codings are the content codings that a proxy may append to an entity tag, as
// Apache and Caddy do when they compress an answer.
var codings = []string{"gzip", "br", "zstd", "deflate"}

// etag returns a version as an entity tag.
func etag(epoch string, revision uint64) string {
	return `"` + protocol.VersionID(epoch, revision) + `"`
}

// parseVersion reads one version in every form in which it may come back: bare,
// or as an entity tag, strong or weak, with or without the suffix of a proxy
// (SPEC P8).
func parseVersion(text string) (settings.Version, bool) {
	text = strings.TrimPrefix(strings.TrimSpace(text), "W/")
	if len(text) > 1 && text[0] == '"' && text[len(text)-1] == '"' {
		text = text[1 : len(text)-1]
	}
	epoch, number, ok := strings.Cut(text, ".")
	if digits, coding, coded := strings.Cut(number, "-"); coded && slices.Contains(codings, coding) {
		number = digits
	}
	revision, err := strconv.ParseUint(number, 10, 53)
	return settings.Version{Epoch: epoch, Revision: revision}, ok && err == nil && isEpoch(epoch)
}

// isEpoch reports whether a text can be an epoch: ASCII letters and digits.
func isEpoch(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
}

// versionList is the value of If-Match or If-None-Match.
type versionList struct {
	any  bool // "*"
	list []settings.Version
}

// parseVersions reads the lines of an If-Match or If-None-Match header. Tags
// that are no versions of ours match nothing and are left out. A header without
// any version is refused, except where there is none at all.
func parseVersions(lines []string) (versions versionList, ok bool) {
	text := strings.Join(lines, ",")
	if text == "" || strings.TrimSpace(text) == "*" {
		return versionList{any: text != ""}, true
	}
	for tag := range strings.SplitSeq(text, ",") {
		if version, ok := parseVersion(tag); ok {
			versions.list = append(versions.list, version)
		}
	}
	return versions, len(versions.list) > 0
}

// has reports whether a version is one of the list.
func (v versionList) has(version settings.Version) bool {
	return v.any || slices.Contains(v.list, version)
}
