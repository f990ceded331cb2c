package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"social-server/internal/errs"
)

// maxName is the most code points of a device name or username, in NFC.
const maxName = 64

// DeviceName returns the spelling in which a device name is stored, or an error
// about field.
func DeviceName(field, s string) (string, error) {
	name := Name(s)
	switch n := utf8.RuneCountInString(name); {
	case n > maxName:
		return "", errs.Field(field, "The device name may have at most %d characters; this one has %d.", maxName, n)
	case Key(name) == "":
		return "", errs.Field(field, "A device name is needed.")
	case !all([]rune(name), shown):
		return "", errs.Field(field, "The device name has a character that cannot be shown.")
	}
	return name, nil
}

// Username returns the spelling in which a username is stored, or an error. It
// is a part of addresses, so it has no character that needs care there.
func Username(s string) (string, error) {
	const field = "username"
	name := Name(s)
	first, _ := utf8.DecodeRuneInString(name)
	switch n := utf8.RuneCountInString(name); {
	case n > maxName:
		return "", errs.Field(field, "The username may have at most %d characters; this one has %d.", maxName, n)
	case Key(name) == "":
		return "", errs.Field(field, "A username is needed.")
	case !all([]rune(name), inUsername):
		return "", errs.Field(field, "The username may have letters, digits, dot, underscore and hyphen.")
	case !letter(first):
		return "", errs.Field(field, "The username must begin with a letter or a digit.")
	}
	return name, nil
}

// all reports whether every character of a name is good where it is.
func all(name []rune, good func(name []rune, i int) bool) bool {
	for i := range name {
		if !good(name, i) {
			return false
		}
	}
	return true
}

// shown reports whether the character at i is one that people see: no control,
// no direction override, no invisible letter, no joiner out of place.
func shown(name []rune, i int) bool {
	r := name[i]
	switch {
	case joiner(r):
		return joins(name, i)
	case r == unicode.ReplacementChar, unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r):
		return false
	}
	return unicode.IsPrint(r)
}

// inUsername reports whether the character at i may be part of a username.
func inUsername(name []rune, i int) bool {
	r := name[i]
	switch {
	case letter(r), joiner(r):
		return shown(name, i)
	case unicode.In(r, unicode.Mn, unicode.Mc):
		return i > 0 && !strings.ContainsRune("._-", name[i-1]) && shown(name, i)
	}
	return strings.ContainsRune("._-", r)
}

// letter reports whether r is a letter or digit of any script.
func letter(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// The joiners: invisible, they say how their neighbours are drawn.
const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
)

func joiner(r rune) bool { return r == zeroWidthNonJoiner || r == zeroWidthJoiner }

// joining are the scripts in which joiners change the shape of a word.
var joining = []*unicode.RangeTable{
	unicode.Arabic, unicode.Syriac, unicode.Mandaic, unicode.Nko, unicode.Mongolian, unicode.Adlam,
	unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil,
	unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Khmer, unicode.Myanmar,
	unicode.Tibetan, unicode.Balinese, unicode.Javanese,
}

// joins reports whether the joiner at i is where one belongs: after a character
// of a script that joins, or, zero width joiner only, between two emoji.
func joins(name []rune, i int) bool {
	before := i - 1
	for before >= 0 && unicode.Is(unicode.Inherited, name[before]) && !joiner(name[before]) {
		before-- // a mark that several scripts share, a variation selector
	}
	if before < 0 {
		return false
	}
	if unicode.In(name[before], joining...) {
		return true
	}
	return name[i] == zeroWidthJoiner && i+1 < len(name) && emoji(name[before]) && emoji(name[i+1])
}

// emoji reports whether r may be part of an emoji: a symbol beyond ASCII.
func emoji(r rune) bool { return r > unicode.MaxASCII && unicode.IsSymbol(r) }
