package account

import (
	"encoding/base32"
	"io"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"social-server/internal/errs"
)

const (
	maxName  = 64  // code points of a device name or username
	maxEmail = 254 // bytes, RFC 5321
)

// checkDeviceName says what is wrong with a device name, or nil.
func checkDeviceName(field, name string) error {
	switch n := utf8.RuneCountInString(name); {
	case name == "":
		return errs.Field(field, "A device name is needed.")
	case n > maxName:
		return errs.Field(field, "The device name may have at most %d characters; this one has %d.", maxName, n)
	case strings.TrimSpace(name) != name:
		return errs.Field(field, "The device name may not begin or end with a space.")
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }):
		return errs.Field(field, "The device name has a character that cannot be shown.")
	}
	return nil
}

// checkUsername says what is wrong with a username, or nil. It stands in
// addresses, so it has no character that would need care there.
func checkUsername(name string) error {
	const field = "username"
	first, _ := utf8.DecodeRuneInString(name)
	switch n := utf8.RuneCountInString(name); {
	case name == "":
		return errs.Field(field, "A username is needed.")
	case n > maxName:
		return errs.Field(field, "The username may have at most %d characters; this one has %d.", maxName, n)
	case strings.ContainsFunc(name, func(r rune) bool { return !letter(r) && !strings.ContainsRune("._-", r) }):
		return errs.Field(field, "The username may have letters, digits, dot, underscore and hyphen.")
	case !letter(first):
		return errs.Field(field, "The username must begin with a letter or a digit.")
	}
	return nil
}

// letter reports whether r is a letter or digit of any script.
func letter(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// checkEmail returns an e-mail address in lower case, or says what is wrong.
func checkEmail(email string) (string, error) {
	const field = "email"
	if email == "" {
		return "", errs.Field(field, "An e-mail address is needed.")
	}
	parsed, err := mail.ParseAddress(email)
	plain := !strings.ContainsFunc(email, func(r rune) bool { return !unicode.IsPrint(r) })
	if len(email) > maxEmail || err != nil || parsed.Address != email || !plain {
		return "", errs.Field(field, "This is not an e-mail address.")
	}
	return strings.ToLower(email), nil
}

var idAlphabet = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// randomID returns a new id: a prefix that says of what, and 128 random bits.
func randomID(random io.Reader, prefix string) (string, error) {
	var bits [16]byte
	if _, err := io.ReadFull(random, bits[:]); err != nil {
		return "", err
	}
	return prefix + idAlphabet.EncodeToString(bits[:]), nil
}
