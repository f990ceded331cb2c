// Package text normalises and checks what people type: device names,
// usernames, e-mail addresses, passwords and codes. Every door uses it, so that
// one name has one spelling wherever it comes in. docs/names.md has the rules.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// maxTyped is more bytes than any spelling of a name or e-mail address has. What
// is longer is not worth the time, which for a domain grows with the square.
const maxTyped = 1 << 10

// Trim returns s without the white space around it.
func Trim(s string) string { return strings.TrimSpace(s) }

// Name returns the spelling in which a device name or username is stored: NFC,
// trimmed, every run of spaces of any kind as one U+0020.
func Name(s string) string {
	var b strings.Builder
	space := false
	for _, r := range Trim(s) {
		if unicode.Is(unicode.Zs, r) {
			space = true
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return norm.NFC.String(b.String())
}

// Key returns what device names and usernames are compared by. Two names with
// the same key are one name: they differ in case, in normalisation, or in
// characters that have no shape of their own. It is empty, and nobody's, for
// what is longer than any spelling of a name.
func Key(name string) string {
	if name = Trim(name); len(name) > maxTyped {
		return ""
	}
	return lower(Name(strings.Map(func(r rune) rune {
		if joiner(r) || unicode.Is(unicode.Variation_Selector, r) {
			return -1
		}
		return r
	}, name)))
}

// lower is the one rule of case: the lower case of each character (Unicode's
// simple mapping, in no language), in NFC.
func lower(s string) string { return norm.NFC.String(strings.ToLower(norm.NFC.String(s))) }

// Password returns the spelling in which a password is hashed: NFC, with every
// space of another kind as U+0020 (RFC 8265, OpaqueString). It refuses nothing
// and trims nothing.
func Password(s string) string {
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Zs, r) {
			return ' '
		}
		return r
	}, s))
}

// Code returns the letters and digits of a code, in upper case: invitations,
// reset codes and pairing numbers are compared without spaces and dashes of any
// kind. Full-width characters are ordinary ones.
func Code(s string) string {
	return upper(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.In(r, unicode.Pd, unicode.Cf, unicode.Cc) || strings.ContainsRune(otherDashes, r) {
			return -1
		}
		return r
	}, width.Fold.String(s)))
}

func upper(s string) string { return norm.NFC.String(strings.ToUpper(norm.NFC.String(s))) }

// otherDashes are dashes that Unicode counts as something else: hyphen bullet,
// modifier letter minus, minus.
const otherDashes = "\u2043\u02d7\u2212"

// MadeOf reports whether a password is made of a name, once or several times,
// in any case. Only letters count: what stands between, before and after them
// may be digits, punctuation and spaces. Of a name without letters its digits
// and symbols count. A name of one or two letters says little about a password:
// there every character counts.
func MadeOf(password, name string) bool {
	counts := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsMark(r) }
	word := only(name, counts)
	if word == "" {
		counts = func(r rune) bool { return !unicode.IsSpace(r) && !unicode.IsPunct(r) }
		word = only(name, counts)
	}
	if utf8.RuneCountInString(word) < 3 {
		counts = func(rune) bool { return true }
	}
	rest := only(password, counts)
	return word != "" && rest != "" && strings.ReplaceAll(rest, word, "") == ""
}

// only returns the lower case of those characters of s that count.
func only(s string, counts func(rune) bool) string {
	return strings.Map(func(r rune) rune {
		if counts(r) {
			return r
		}
		return -1
	}, lower(s))
}
