package account

import (
	"encoding/base32"
	"io"
)

var idAlphabet = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// randomID returns a new id: a prefix that says of what, and 128 random bits.
func randomID(random io.Reader, prefix string) (string, error) {
	var bits [16]byte
	if _, err := io.ReadFull(random, bits[:]); err != nil {
		return "", err
	}
	return prefix + idAlphabet.EncodeToString(bits[:]), nil
}
