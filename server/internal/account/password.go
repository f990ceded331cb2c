package account

import (
	"context"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"fmt"
	"io"
	"runtime"
	"runtime/metrics"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"social-server/internal/errs"
	"social-server/internal/text"
)

// HashCost is what one password hash takes. It is stored with every hash, and
// an account that logs in with a cheaper one gets a new hash.
type HashCost struct {
	Memory  uint32 // KiB
	Passes  uint32
	Threads uint8
}

// DefaultHashCost is OWASP's least for argon2id: about 30 ms of one core.
var DefaultHashCost = HashCost{Memory: 19456, Passes: 2, Threads: 1}

// Bounds of the hashing: one at a time, for each takes 19 MiB; so many in line
// behind it; and when to come back if the line is full.
const (
	hashesAtOnce  = 1
	hashesInLine  = 32
	hashLineRetry = 2 * time.Second
	saltBytes     = 16
	hashBytes     = 32
)

// passwords hashes and compares passwords, one at a time.
type passwords struct {
	cost   HashCost
	random io.Reader
	line   chan struct{} // a place in line, or at work
	desk   chan struct{} // the place at work

	collected uint64 // runs of the garbage collector by the end of the last hash; guarded by desk
	nobody    string // the hash of no password, for devices that do not exist
	derive    func(password, salt []byte, passes, memory uint32, threads uint8, size uint32) []byte
}

// newPasswords returns passwords of a cost.
func newPasswords(cost HashCost, random io.Reader) (*passwords, error) {
	p := &passwords{
		cost:   cost,
		random: random,
		line:   make(chan struct{}, hashesAtOnce+hashesInLine),
		desk:   make(chan struct{}, hashesAtOnce),
		derive: argon2.IDKey,
	}
	var unknown [saltBytes + hashBytes]byte
	if _, err := io.ReadFull(random, unknown[:]); err != nil {
		return nil, err
	}
	p.nobody = phc(cost, unknown[:saltBytes], unknown[saltBytes:])
	return p, nil
}

// hash returns the PHC string of a password, with a new salt.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	var salt [saltBytes]byte
	if _, err := io.ReadFull(p.random, salt[:]); err != nil {
		return "", err
	}
	key, err := p.key(ctx, p.cost, password, salt[:], hashBytes)
	if err != nil {
		return "", err
	}
	return phc(p.cost, salt[:], key), nil
}

// matches reports whether stored is the hash of password.
func (p *passwords) matches(ctx context.Context, stored, password string) (bool, error) {
	cost, salt, want, err := parsePHC(stored)
	if err != nil {
		return false, err
	}
	got, err := p.key(ctx, cost, password, salt, uint32(len(want))) // #nosec G115 -- a hash is 32 bytes long
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// cheap reports whether a stored hash took less than one does today.
func (p *passwords) cheap(stored string) bool {
	cost, _, _, err := parsePHC(stored)
	return err != nil || cost.Memory < p.cost.Memory || cost.Passes < p.cost.Passes
}

// key computes argon2id once it is its turn. A full line is refused at once: to
// wait longer would only hold more memory for people who have given up.
func (p *passwords) key(ctx context.Context, cost HashCost, password string, salt []byte, size uint32) ([]byte, error) {
	select {
	case p.line <- struct{}{}:
		defer func() { <-p.line }()
	default:
		return nil, &errs.Error{Code: errs.Unavailable, Message: "Too many people are logging in just now.", RetryAfter: hashLineRetry}
	}
	select {
	case p.desk <- struct{}{}:
		defer func() { <-p.desk }()
	case <-ctx.Done():
		return nil, &errs.Error{Code: errs.Unavailable, Message: "The request ended before its turn.", Cause: ctx.Err()}
	}
	if p.collected == collections() {
		runtime.GC() // frees the memory of the hash before, which the library cannot use again
	}
	defer func() { p.collected = collections() }()
	return p.derive([]byte(password), salt, cost.Passes, cost.Memory, cost.Threads, size), nil
}

// collections counts the runs of the garbage collector that have ended.
func collections() uint64 {
	count := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(count)
	return count[0].Value.Uint64()
}

// phc writes a hash and what it takes to compute it again.
func phc(cost HashCost, salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, cost.Memory, cost.Passes, cost.Threads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

// parsePHC reads what phc wrote.
func parsePHC(text string) (cost HashCost, salt, key []byte, err error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return cost, nil, nil, errBadHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &cost.Memory, &cost.Passes, &cost.Threads); err != nil {
		return cost, nil, nil, errBadHash
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	key, keyErr := base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || keyErr != nil || len(key) < hashBytes || cost.Passes == 0 || cost.Threads == 0 {
		return cost, nil, nil, errBadHash
	}
	return cost, salt, key, nil
}

// errBadHash does not quote the hash: errors are logged.
var errBadHash = fmt.Errorf("a stored password hash cannot be read")

// The longest password, and the product's name, which is nobody's password.
const (
	maxPasswordRunes = 256
	maxPasswordBytes = 1 << 10
	product          = "social server"
)

//go:embed blocked.txt
var blockedText string

// blocked holds the passwords that guessers try first, in lower case.
var blocked = func() map[string]bool {
	words := map[string]bool{}
	for word := range strings.FieldsSeq(blockedText) {
		words[word] = true
	}
	return words
}()

// newPassword returns a new password as it is hashed, or says what is wrong with
// it. There are no rules about which characters it must have: length is what
// helps. It may not be made of own names, nor of the local part of an e-mail
// address among them. None of this is asked of a password that exists already.
func newPassword(password string, least int, own ...string) (string, error) {
	const field = "password"
	password = text.Password(password)
	switch n := utf8.RuneCountInString(password); {
	case password == "":
		return "", errs.Field(field, "A password is needed.")
	case n < least:
		return "", errs.Field(field, "The password needs at least %d characters; this one has %d.", least, n)
	case n > maxPasswordRunes || len(password) > maxPasswordBytes:
		return "", errs.Field(field, "The password may have at most %d characters.", maxPasswordRunes)
	}
	if blocked[strings.ToLower(password)] || text.MadeOf(password, product) {
		return "", errs.Field(field, "This password is one of the first that others would try.")
	}
	for _, name := range own {
		local, _, _ := strings.Cut(name, "@")
		if text.MadeOf(password, name) || text.MadeOf(password, local) {
			return "", errs.Field(field, "The password may not be made of a name or an e-mail address of yours.")
		}
	}
	return password, nil
}
