package account

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"
	"testing"
	"time"

	"github.com/dgrijalva/jwt-go/v4"

	"social-server/internal/errs"
)

var (
	key      = []byte("0123456789abcdef0123456789abcdef")
	otherKey = []byte("fedcba9876543210fedcba9876543210")
	noon     = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

func mustTokens(t *testing.T, secrets ...[]byte) *tokens {
	t.Helper()
	if secrets == nil {
		secrets = [][]byte{key}
	}
	k, err := newTokens(secrets, 15*time.Minute, func() time.Time { return noon }, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// forge puts a token together by hand.
func forge(header, body string, mac func() hash.Hash, key []byte) string {
	part := base64.RawURLEncoding.EncodeToString
	text := part([]byte(header)) + "." + part([]byte(body))
	sum := hmac.New(mac, key)
	sum.Write([]byte(text))
	return text + "." + part(sum.Sum(nil))
}

// TestForgedTokens: none of these is ever taken for a token of ours.
func TestForgedTokens(t *testing.T) {
	k := mustTokens(t)
	kid := k.keyID
	good := fmt.Sprintf(`{"alg":"HS256","kid":%q,"typ":"JWT"}`, kid)
	body := `{"iss":"social-server","aud":"settings-sync","sub":"d_1","sid":"l_1","jti":"j","exp":1795436000,"use":"access"}`
	if _, err := k.verify(forge(good, body, sha256.New, key)); err != nil {
		t.Fatalf("the pattern of the forgeries is refused itself: %v", err)
	}
	valid := forge(good, body, sha256.New, key)
	head, rest, _ := strings.Cut(valid, ".")
	claims, signature, _ := strings.Cut(rest, ".")
	with := func(old, replacement string) string {
		if !strings.Contains(body, old) {
			t.Fatalf("the body has no %s", old)
		}
		return forge(good, strings.Replace(body, old, replacement, 1), sha256.New, key)
	}
	header := func(h string, args ...any) string { return forge(fmt.Sprintf(h, args...), body, sha256.New, key) }

	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	byRSA := jwt.New(jwt.SigningMethodRS256)
	byRSA.Header["kid"] = kid
	signedByRSA, err := byRSA.SignedString(private)
	if err != nil {
		t.Fatal(err)
	}

	forgeries := map[string]string{
		"empty":                     "",
		"dots":                      "..",
		"many dots":                 strings.Repeat(".", maxToken),
		"too long":                  valid + strings.Repeat("A", maxToken),
		"two parts":                 head + "." + claims,
		"four parts":                valid + ".x",
		"no signature":              head + "." + claims + ".",
		"half a signature":          head + "." + claims + "." + signature[:20],
		"a signature of another":    head + "." + base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(body, "d_1", "d_2", 1))) + "." + signature,
		"padded base64":             head + "=." + claims + "." + signature,
		"another key":               forge(good, body, sha256.New, otherKey),
		"an empty key":              forge(good, body, sha256.New, nil),
		"the key id as a key":       forge(good, body, sha256.New, []byte(kid)),
		"alg none, no signature":    strings.TrimSuffix(forge(fmt.Sprintf(`{"alg":"none","kid":%q,"typ":"JWT"}`, kid), body, sha256.New, key), signature) + "",
		"alg none, signed":          header(`{"alg":"none","kid":%q,"typ":"JWT"}`, kid),
		"alg None":                  header(`{"alg":"None","kid":%q,"typ":"JWT"}`, kid),
		"alg hs256":                 header(`{"alg":"hs256","kid":%q,"typ":"JWT"}`, kid),
		"alg HS512, signed so":      forge(fmt.Sprintf(`{"alg":"HS512","kid":%q,"typ":"JWT"}`, kid), body, sha512.New, key),
		"alg HS384, signed as 256":  header(`{"alg":"HS384","kid":%q,"typ":"JWT"}`, kid),
		"alg RS256, signed so":      signedByRSA,
		"alg RS256, signed as 256":  header(`{"alg":"RS256","kid":%q,"typ":"JWT"}`, kid),
		"no alg":                    header(`{"kid":%q,"typ":"JWT"}`, kid),
		"alg a number":              header(`{"alg":256,"kid":%q,"typ":"JWT"}`, kid),
		"no kid":                    header(`{"alg":"HS256","typ":"JWT"}`),
		"an unknown kid":            header(`{"alg":"HS256","kid":"1","typ":"JWT"}`),
		"kid a path":                header(`{"alg":"HS256","kid":"../../dev/null","typ":"JWT"}`),
		"kid a list":                header(`{"alg":"HS256","kid":[%q],"typ":"JWT"}`, kid),
		"another typ":               header(`{"alg":"HS256","kid":%q,"typ":"at+jwt"}`, kid),
		"a key of its own":          header(`{"alg":"HS256","kid":%q,"typ":"JWT","jwk":{"kty":"oct","k":"AAAA"}}`, kid),
		"a key elsewhere":           header(`{"alg":"HS256","kid":%q,"typ":"JWT","jku":"https://example.com/k"}`, kid),
		"a critical extension":      header(`{"alg":"HS256","kid":%q,"typ":"JWT","crit":["b64"]}`, kid),
		"header null":               header(`null`),
		"header a list":             header(`[]`),
		"body null":                 forge(good, `null`, sha256.New, key),
		"body a string":             forge(good, `"x"`, sha256.New, key),
		"body cut off":              forge(good, body[:40], sha256.New, key),
		"no exp":                    with(`,"exp":1795436000`, ``),
		"exp null":                  with(`1795436000`, `null`),
		"exp 0":                     with(`1795436000`, `0`),
		"exp before 1970":           with(`1795436000`, `-1`),
		"exp a string":              with(`1795436000`, `"1795436000"`),
		"exp beyond any number":     with(`1795436000`, `1e999`),
		"no iss":                    with(`"iss":"social-server",`, ``),
		"another iss":               with(`"iss":"social-server"`, `"iss":"evil"`),
		"no aud":                    with(`"aud":"settings-sync",`, ``),
		"another aud":               with(`"aud":"settings-sync"`, `"aud":"chat"`),
		"several aud":               with(`"aud":"settings-sync"`, `"aud":["chat","settings-sync"]`),
		"an empty aud":              with(`"aud":"settings-sync"`, `"aud":[""]`),
		"no sub":                    with(`"sub":"d_1",`, ``),
		"no sid":                    with(`"sid":"l_1",`, ``),
		"no jti":                    with(`"jti":"j",`, ``),
		"no use":                    with(`,"use":"access"`, ``),
		"another use":               with(`"use":"access"`, `"use":"join"`),
		"a refresh token":           "l_1." + strings.Repeat("A", 43),
		"a good one after a word":   "Bearer " + valid,
		"a good one with a newline": valid + "\n.",
	}
	if len(forgeries) < 20 {
		t.Errorf("only %d forgeries", len(forgeries))
	}
	for name, token := range forgeries {
		t.Run(name, func(t *testing.T) {
			if c, err := k.verify(token); !errs.Is(err, errs.Unauthorized) {
				t.Errorf("verify() = %+v, %v, want unauthorized", c, err)
			}
		})
	}
}

func TestTokenPastItsTime(t *testing.T) {
	now := noon
	k := mustTokens(t)
	k.now = func() time.Time { return now }
	token, expires, err := k.sign("d_1", "l_1")
	if err != nil || !expires.Equal(noon.Add(15*time.Minute)) {
		t.Fatalf("sign() = %v, %v", expires, err)
	}
	for after, want := range map[time.Duration]errs.Code{
		0: "", 15*time.Minute - time.Second: "", 15 * time.Minute: errs.Expired, 1000 * time.Hour: errs.Expired,
	} {
		now = noon.Add(after)
		c, err := k.verify(token)
		if want == "" && (err != nil || c.Device != "d_1" || c.Login != "l_1") || want != "" && !errs.Is(err, want) {
			t.Errorf("verify() after %v = %+v, %v, want %q", after, c, err, want)
		}
	}
	now = noon.Add(time.Hour)
	if _, err := k.verify(token[:len(token)-4] + "AAAA"); !errs.Is(err, errs.Unauthorized) {
		t.Errorf("a forged token past its time = %v, want unauthorized", err)
	}
}

func TestKeys(t *testing.T) {
	now := func() time.Time { return noon }
	for name, secrets := range map[string][][]byte{
		"none": nil, "an empty one": {nil}, "31 bytes": {key[:31]}, "a short former one": {key, []byte("short")},
	} {
		if _, err := newTokens(secrets, time.Minute, now, rand.Reader); err == nil {
			t.Errorf("%s: newTokens() took it", name)
		} else if strings.Contains(err.Error(), "0123") {
			t.Errorf("%s: the error tells the key", name)
		}
	}
	before, both, after := mustTokens(t, key), mustTokens(t, otherKey, key), mustTokens(t, otherKey)
	old, _, err := before.sign("d_1", "l_1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := both.verify(old); err != nil {
		t.Errorf("a token of the former key = %v", err)
	}
	if _, err := after.verify(old); !errs.Is(err, errs.Unauthorized) {
		t.Errorf("a token of a removed key = %v", err)
	}
	if fresh, _, _ := both.sign("d_1", "l_1"); fresh == "" {
		t.Error("no token")
	} else if _, err := after.verify(fresh); err != nil {
		t.Errorf("a token of the new key = %v", err)
	}
	after.keys[after.keyID] = nil // whatever might empty it later
	if token, _, err := after.sign("d_1", "l_1"); err == nil {
		t.Errorf("signed with an empty key: %s", token)
	}
}

func TestSuccessor(t *testing.T) {
	k := mustTokens(t)
	first, err := k.newRefresh("l_1")
	if err != nil {
		t.Fatal(err)
	}
	second := k.successor(first)
	if second != k.successor(first) || second == first || k.successor(second) == first {
		t.Error("a successor is not one")
	}
	if id, ok := loginOf(second); !ok || id != "l_1" || len(second) != len(first) {
		t.Errorf("successor %s of %s", second, first)
	}
	if mustTokens(t, otherKey).successor(first) == second {
		t.Error("a successor can be told without the key")
	}
	if bytes.Equal(k.refresh[0], key) {
		t.Error("one key signs and derives")
	}
	if other, _ := k.newRefresh("l_1"); other == first {
		t.Error("two log-ins share a token")
	}
}
