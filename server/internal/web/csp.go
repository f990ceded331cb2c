package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
)

// plainPolicy is for what is no page: opened by itself, it may do nothing. An
// SVG may keep its own styles.
const plainPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

var (
	inlineScript   = regexp.MustCompile(`(?is)<script\b([^>]*)>(.*?)</script\s*>`)
	inlineStyle    = regexp.MustCompile(`(?is)<style\b([^>]*)>(.*?)</style\s*>`)
	fromElsewhere  = regexp.MustCompile(`(?i)\ssrc\s*=`)
	styleAttribute = regexp.MustCompile(`(?i)<[a-z][^>]*\sstyle\s*=`)
)

// pagePolicy returns the Content-Security-Policy of one exported page. The
// export has a few inline scripts that differ from page to page and from build
// to build, and as static files they cannot carry a nonce: so each is listed by
// its hash, and any other inline script does not run.
func pagePolicy(page []byte) string {
	directives := []string{
		"default-src 'none'",
		strings.Join(append([]string{"script-src 'self'"}, hashes(inlineScript, page)...), " "),
		strings.Join(append([]string{"style-src 'self'"}, hashes(inlineStyle, page)...), " "),
		"img-src 'self' data: blob:",
		"font-src 'self'",
		"connect-src 'self'",
		"manifest-src 'self'",
		"base-uri 'none'",
		"form-action 'self'",
		"frame-ancestors 'none'",
	}
	// Only attributes in the page's own text need this: those that scripts set do not.
	if styleAttribute.Match(inlineScript.ReplaceAll(page, nil)) {
		directives = append(directives, "style-src-attr 'unsafe-inline'")
	}
	return strings.Join(directives, "; ")
}

// hashes returns the CSP source of each inline element, once.
func hashes(element *regexp.Regexp, page []byte) []string {
	var sources []string
	seen := map[string]bool{}
	for _, found := range element.FindAllSubmatch(page, -1) {
		attributes, text := found[1], found[2]
		if fromElsewhere.Match(attributes) || len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		sum := sha256.Sum256(text)
		source := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
		if !seen[source] {
			seen[source] = true
			sources = append(sources, source)
		}
	}
	return sources
}
