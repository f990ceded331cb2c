package text

import (
	"net/mail"
	"strings"
	"unicode"

	"golang.org/x/net/idna"

	"social-server/internal/errs"
)

// maxEmail is the most bytes of an e-mail address (RFC 5321).
const maxEmail = 254

// Email returns the spelling in which an e-mail address is stored: trimmed, in
// lower case and NFC, its domain in ASCII.
func Email(s string) (string, error) {
	const field = "email"
	s = Trim(s)
	if s == "" {
		return "", errs.Field(field, "An e-mail address is needed.")
	}
	parsed, err := mail.ParseAddress(s)
	plain := !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
	email := EmailKey(s)
	_, domain, _ := cutDomain(email)
	if email == "" || len(email) > maxEmail || err != nil || parsed.Address != s || !plain || !ascii(domain) {
		return "", errs.Field(field, "This is not an e-mail address.")
	}
	return email, nil
}

// EmailKey returns what e-mail addresses are compared by. Of an address it is
// what Email returns; it takes any other text too. It is empty, and nobody's,
// for what is longer than any spelling of an address.
func EmailKey(s string) string {
	if s = Trim(s); len(s) > maxTyped {
		return ""
	}
	local, domain, ok := cutDomain(lower(s))
	if !ok || ascii(domain) {
		return local + domain
	}
	if name, err := domains.ToASCII(domain[1:]); err == nil {
		domain = "@" + name
	}
	return local + domain
}

// domains maps the names of domains as browsers do, with ß and the joiners kept
// apart (UTS 46, not transitional).
var domains = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.VerifyDNSLength(true))

// cutDomain cuts an address before its last @.
func cutDomain(email string) (local, domain string, ok bool) {
	at := strings.LastIndexByte(email, '@')
	if at < 0 {
		return email, "", false
	}
	return email[:at], email[at:], true
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}
