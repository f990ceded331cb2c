package account

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"social-server/internal/errs"
)

var cheap = HashCost{Memory: 64, Passes: 1, Threads: 1}

func mustPasswords(t *testing.T, cost HashCost) *passwords {
	t.Helper()
	p, err := newPasswords(cost, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestHashAndMatch(t *testing.T) {
	p := mustPasswords(t, DefaultHashCost)
	hash, err := p.hash(t.Context(), "tide over marble")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash = %s", hash)
	}
	if again, _ := p.hash(t.Context(), "tide over marble"); again == hash {
		t.Error("two hashes share a salt")
	}
	for password, want := range map[string]bool{"tide over marble": true, "tide over marble ": false, "Tide over marble": false, "": false} {
		if got, err := p.matches(t.Context(), hash, password); err != nil || got != want {
			t.Errorf("matches(%q) = %v, %v, want %v", password, got, err, want)
		}
	}
}

// TestLastCharacterCounts: nothing of a long password is cut off (SEC-3).
func TestLastCharacterCounts(t *testing.T) {
	p := mustPasswords(t, cheap)
	long := strings.Repeat("x", 99)
	hash, err := p.hash(t.Context(), long+"y")
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]bool{long + "y": true, long + "z": false, long: false, long + "yy": false} {
		if got, err := p.matches(t.Context(), hash, password); err != nil || got != want {
			t.Errorf("a password of %d that ends in %s: %v, %v", len(password), password[len(password)-1:], got, err)
		}
	}
}

// TestHashOfNobody matches no password and takes what any other hash takes.
func TestHashOfNobody(t *testing.T) {
	p := mustPasswords(t, cheap)
	cost, salt, key, err := parsePHC(p.nobody)
	if err != nil || cost != cheap || len(salt) != saltBytes || len(key) != hashBytes || p.cheap(p.nobody) {
		t.Errorf("nobody = %s: %v", p.nobody, err)
	}
	if ok, err := p.matches(t.Context(), p.nobody, ""); ok || err != nil {
		t.Errorf("matches() = %v, %v", ok, err)
	}
}

func TestStoredHashThatCannotBeRead(t *testing.T) {
	const secret = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U"
	tests := map[string]string{
		"empty":           "",
		"another kind":    "$2a$10$" + secret,
		"another version": "$argon2id$v=16$m=64,t=1,p=1$c2FsdHNhbHQ$" + secret,
		"no numbers":      "$argon2id$v=19$m=x$c2FsdHNhbHQ$" + secret,
		"no passes":       "$argon2id$v=19$m=64,t=0,p=1$c2FsdHNhbHQ$" + secret,
		"no threads":      "$argon2id$v=19$m=64,t=1,p=0$c2FsdHNhbHQ$" + secret,
		"too many parts":  "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$" + secret + "$x",
		"salt not base64": "$argon2id$v=19$m=64,t=1,p=1$!!$" + secret,
		"key not base64":  "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$!!",
		"key too short":   "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$c2VjcmV0",
	}
	p := mustPasswords(t, cheap)
	for name, stored := range tests {
		t.Run(name, func(t *testing.T) {
			ok, err := p.matches(t.Context(), stored, "")
			if ok || err == nil {
				t.Fatalf("matches() = %v, %v, want an error", ok, err)
			}
			if strings.Contains(err.Error(), "c2Vj") {
				t.Errorf("the error quotes the hash: %v", err)
			}
		})
	}
}

// TestHashesAtOnce: one at work, so many in line, and the next is sent away.
func TestHashesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := mustPasswords(t, cheap)
		for range hashesAtOnce {
			p.line <- struct{}{}
			p.desk <- struct{}{} // somebody is at work
		}
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan error, hashesInLine)
		for range hashesInLine {
			go func() {
				_, err := p.hash(ctx, "tide over marble")
				left <- err
			}()
		}
		synctest.Wait() // all of them stand in line
		_, err := p.hash(t.Context(), "tide over marble")
		if e := errs.From(err); e.Code != errs.Unavailable || e.RetryAfter <= 0 {
			t.Errorf("one too many = %v, want unavailable and when to come back", err)
		}
		leave()
		for range hashesInLine {
			if err := <-left; !errs.Is(err, errs.Unavailable) {
				t.Errorf("one who left = %v, want unavailable", err)
			}
		}
		<-p.desk
		if _, err := p.hash(t.Context(), "tide over marble"); err != nil {
			t.Errorf("hash() once there is room = %v", err)
		}
		if len(p.line) != hashesAtOnce || len(p.desk) != hashesAtOnce-1 {
			t.Errorf("%d in line and %d at work, want only those who were", len(p.line), len(p.desk))
		}
	})
}

// TestNoRandomness: without it nothing is made.
func TestNoRandomness(t *testing.T) {
	broken := iotest.ErrReader(errors.New("no entropy"))
	if _, err := newPasswords(cheap, broken); err == nil {
		t.Error("newPasswords() made a hash of nobody")
	}
	p := mustPasswords(t, cheap)
	p.random = broken
	if hash, err := p.hash(t.Context(), "tide over marble"); err == nil {
		t.Errorf("hash() = %s", hash)
	}
	k := mustTokens(t)
	k.random = io.LimitReader(rand.Reader, 8)
	if token, err := k.newRefresh("l_1"); err == nil {
		t.Errorf("newRefresh() = %s", token)
	}
	if token, _, err := k.sign("d_1", "l_1"); err == nil {
		t.Errorf("sign() = %s", token)
	}
}

func TestBlocklist(t *testing.T) {
	if len(blocked) < 1000 {
		t.Errorf("%d passwords are blocked", len(blocked))
	}
	for word := range blocked {
		if word != strings.ToLower(word) || len(word) < 8 {
			t.Errorf("%q can never be compared", word)
		}
	}
}
