package config

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"social-server/internal/errs"
	"social-server/internal/origin"
)

// A setter parses one value into its place. Its error says what is wrong; the
// caller puts the variable's name before it.
type setter = func(*Config, string) error

// minSecretBytes is what HS256 needs: as many bytes as its hash has.
const minSecretBytes = 32

func count(at func(*Config) *int, least, most int) setter {
	return func(c *Config, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil {
			return problem("%q is not a whole number", value)
		}
		if n < least || n > most {
			return fmt.Errorf("%d is not within %d and %d", n, least, most)
		}
		*at(c) = n
		return nil
	}
}

func duration(at func(*Config) *time.Duration, least, most time.Duration) setter {
	return func(c *Config, value string) error {
		d, err := time.ParseDuration(value)
		if err != nil {
			return problem("%q is not a duration such as 90s, 15m or 720h", value)
		}
		if d < least || d > most {
			return fmt.Errorf("%v is not within %v and %v", d, least, most)
		}
		*at(c) = d
		return nil
	}
}

func oneOf[T any](at func(*Config) *T, words map[string]T) setter {
	return func(c *Config, value string) error {
		meaning, ok := words[strings.ToLower(value)]
		if !ok {
			return problem("%q is none of %s", value, wordList(words))
		}
		*at(c) = meaning
		return nil
	}
}

// registration leaves an empty value to parse: the default follows LISTEN_ADDR.
func registration(c *Config, value string) error {
	if value == "" {
		return nil
	}
	return oneOf(func(c *Config) *Registration { return &c.Accounts.Registration }, map[string]Registration{
		"open": RegistrationOpen, "first-account": RegistrationFirstAccount, "closed": RegistrationClosed})(c, value)
}

func wordList[T any](words map[string]T) string {
	list := make([]string, 0, len(words))
	for word := range words {
		list = append(list, word)
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

func path(at func(*Config) *string) setter {
	return func(c *Config, value string) error {
		if err := checkPath(value); err != nil {
			return err
		}
		*at(c) = value
		return nil
	}
}

// checkPath refuses paths that do not mean what they look like.
func checkPath(value string) error {
	switch {
	case strings.ContainsRune(value, 0):
		return errors.New("holds a zero byte")
	case strings.HasPrefix(value, "~"):
		return errors.New("begins with ~, which only a shell replaces: write the whole path, or ./~ for a name that begins so")
	}
	return nil
}

// readable takes the path of a file that must be there.
func readable(at func(*Config) *string) setter {
	return func(c *Config, value string) error {
		if value == "" {
			return nil
		}
		if err := checkPath(value); err != nil {
			return err
		}
		info, err := os.Stat(value)
		if err != nil {
			return fmt.Errorf("%s cannot be read: %w", errs.Clip(value), cause(err))
		}
		if info.IsDir() {
			return problem("%s is a folder, not a file", value)
		}
		*at(c) = value
		return nil
	}
}

func address(at func(*Config) *string) setter {
	return func(c *Config, value string) error {
		if err := checkAddress(value); err != nil {
			return err
		}
		*at(c) = value
		return nil
	}
}

func checkAddress(value string) error {
	_, port, err := net.SplitHostPort(value)
	if err != nil {
		return problem("%q is not host:port", value)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return problem("%q has no port within 0 and 65535", value)
	}
	return nil
}

// loopback takes an address that other machines cannot reach.
func loopback(at func(*Config) *string) setter {
	return func(c *Config, value string) error {
		if value == "" {
			return nil
		}
		if err := checkAddress(value); err != nil {
			return err
		}
		host, _, _ := net.SplitHostPort(value)
		if ip := net.ParseIP(host); !strings.EqualFold(host, "localhost") && (ip == nil || !ip.IsLoopback()) {
			return problem("%q is not a loopback address such as localhost:9090", value)
		}
		*at(c) = value
		return nil
	}
}

func origins(c *Config, value string) error {
	for _, one := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' }) {
		clean, err := cleanOrigin(one)
		if err != nil {
			return err
		}
		if !slices.Contains(c.AllowedOrigins, clean) {
			c.AllowedOrigins = append(c.AllowedOrigins, clean)
		}
	}
	return nil
}

// cleanOrigin returns an origin as browsers write it.
func cleanOrigin(text string) (string, error) {
	if strings.Contains(text, "*") {
		return "", problem("%q would let other sites in: list each origin by name", text)
	}
	clean, err := origin.Parse(text)
	if err != nil {
		return "", problem("%q %v", withoutPassword(text), err)
	}
	return clean.String(), nil
}

// withoutPassword returns text for an error, without what stands before an @.
func withoutPassword(text string) string {
	if at := strings.LastIndex(text, "@"); at >= 0 {
		return "…" + text[at+1:]
	}
	return text
}

func signingSecret(c *Config, value string) error {
	if value == "" {
		return nil
	}
	if err := checkSecret(value); err != nil {
		return err
	}
	c.jwtSecret = NewSecret(value)
	return nil
}

// checkSecret refuses keys that can be guessed. Its errors do not show the key.
func checkSecret(value string) error {
	if len(value) < minSecretBytes {
		return fmt.Errorf("has %d bytes and needs %d or more (`openssl rand -base64 48` makes a good one)", len(value), minSecretBytes)
	}
	if strings.TrimSpace(value) != value {
		return errors.New("begins or ends with white space")
	}
	for _, sample := range []string{"changeme", "change-me", "change_me", "changethis", "example", "256-bit-secret", "secretsecret", "supersecret", "super-secret", "my-secret", "password", "0123456789abcdef0123456789abcdef"} {
		if strings.Contains(strings.ToLower(value), sample) {
			return errors.New("is a known example: make your own (`openssl rand -base64 48`)")
		}
	}
	if distinctBytes(value) < 8 {
		return errors.New("repeats a few characters and can be guessed (`openssl rand -base64 48` makes a good one)")
	}
	return nil
}

func distinctBytes(text string) int {
	var seen [256]bool
	n := 0
	for i := range len(text) {
		if !seen[text[i]] {
			seen[text[i]] = true
			n++
		}
	}
	return n
}
