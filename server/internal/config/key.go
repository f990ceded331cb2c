package config

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"social-server/internal/errs"
)

const (
	keyFile      = "jwt.key"
	keyTemporary = ".jwt.key-*"
	keyBytes     = 32
	maxKeyBytes  = 4096 // what a key file may hold; more is another file
)

// containerSecrets is where container engines mount secrets. They are readable
// by all users there, of which a container has one.
const containerSecrets = "/run/secrets/"

// SigningKey returns the key that signs access tokens: JWT_SECRET, else what
// JWT_SECRET_FILE holds, else DATA_DIR/jwt.key, which is made on first use.
// PrepareDataDir must have been called.
func (c *Config) SigningKey() (Secret, error) {
	if !c.jwtSecret.Empty() {
		return c.jwtSecret, nil
	}
	if c.jwtSecretFile != "" {
		return secretFromFile(c.jwtSecretFile)
	}
	path := filepath.Join(c.DataDir, keyFile)
	key, err := ownKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeKey(path); err != nil {
			return Secret{}, bad("DATA_DIR", "%s cannot be made: %v", path, cause(err))
		}
		key, err = ownKey(path)
	}
	if err != nil {
		return Secret{}, bad("DATA_DIR", "%v", err)
	}
	return key, nil
}

// SigningKeys returns the key that signs access tokens, and after it the former
// ones, whose tokens are still accepted.
func (c *Config) SigningKeys() ([]Secret, error) {
	key, err := c.SigningKey()
	if err != nil {
		return nil, err
	}
	previous := c.jwtPrevious
	if c.jwtPreviousFile != "" {
		if previous, err = previousFromFile(c.jwtPreviousFile); err != nil {
			return nil, err
		}
	}
	return append([]Secret{key}, previous...), nil
}

// previousSecrets takes former keys, separated by commas.
func previousSecrets(c *Config, value string) error {
	for one := range strings.SplitSeq(value, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		if err := checkSecret(one); err != nil {
			return err
		}
		c.jwtPrevious = append(c.jwtPrevious, NewSecret(one))
	}
	return nil
}

// previousFromFile reads former keys, one a line. A file of exactly keyBytes is
// one that makeKey wrote: any byte of it belongs to the key.
func previousFromFile(path string) ([]Secret, error) {
	const variable = "JWT_SECRET_PREVIOUS_FILE"
	text, mode, err := readKey(path)
	switch {
	case err != nil:
		return nil, bad(variable, "%v", err)
	case tooOpen(path, mode):
		return nil, bad(variable, "%s is open to others (mode %04o): run chmod 600 on it", path, mode)
	case len(text) == keyBytes:
		return []Secret{NewSecret(text)}, nil
	}
	if text, err = PlainText(text); err != nil {
		return nil, bad(variable, "%s %v", path, err)
	}
	var keys []Secret
	for line := range strings.FieldsSeq(text) {
		if err := checkSecret(line); err != nil {
			return nil, bad(variable, "%s: a key %v", path, err)
		}
		keys = append(keys, NewSecret(line))
	}
	return keys, nil
}

// tooOpen reports whether a file with a secret may be written by its group or
// read by others, where that can be told. In a folder that is closed to others
// the group may do what the folder lets it do, as in DATA_DIR.
func tooOpen(path string, mode fs.FileMode) bool {
	excess := mode & 0o037
	if folder, err := os.Stat(filepath.Dir(path)); err == nil && folder.Mode()&0o007 == 0 {
		excess &= tooMuch(mode, folder.Mode())
	}
	return excess != 0 && !strings.HasPrefix(filepath.Clean(path), containerSecrets) && !openByNature()
}

// secretFromFile reads a key that was written as text: its last line end is not
// part of it.
func secretFromFile(path string) (Secret, error) {
	text, mode, err := readSecretText(path)
	if err != nil {
		return Secret{}, bad("JWT_SECRET_FILE", "%v", err)
	}
	if tooOpen(path, mode) {
		return Secret{}, bad("JWT_SECRET_FILE", "%s is open to others (mode %04o): run chmod 600 on it", path, mode)
	}
	text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	if err := checkSecret(text); err != nil {
		return Secret{}, bad("JWT_SECRET_FILE", "%s %v", path, err)
	}
	return NewSecret(text), nil
}

// ownKey reads the key that makeKey wrote.
func ownKey(path string) (Secret, error) {
	text, mode, err := readKey(path)
	if err != nil {
		return Secret{}, err
	}
	folder, err := os.Stat(filepath.Dir(path))
	switch {
	case err != nil:
		return Secret{}, err
	case tooMuch(mode, folder.Mode()) != 0 && !openByNature():
		return Secret{}, problem("%s is open to others (mode %04o): run chmod 600 on it", path, mode)
	case len(text) < keyBytes:
		return Secret{}, problem("%s has %d bytes instead of %d: restore it from a backup, or remove it and every device logs in again", path, len(text), keyBytes)
	}
	return NewSecret(text), nil
}

// readKey returns what a key file holds and its permissions. The error wraps
// fs.ErrNotExist when there is no such file.
func readKey(path string) (string, fs.FileMode, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", 0, fmt.Errorf("%s cannot be read: %w", errs.Clip(path), cause(err))
	}
	if !info.Mode().IsRegular() || info.Size() > maxKeyBytes {
		return "", 0, problem("%s is not a key file", path)
	}
	text, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return "", 0, fmt.Errorf("%s cannot be read: %w", errs.Clip(path), cause(err))
	}
	return string(text), info.Mode().Perm(), nil
}

// readSecretText is readKey for a file that a person wrote, see PlainText.
func readSecretText(path string) (string, fs.FileMode, error) {
	text, mode, err := readKey(path)
	if err != nil {
		return "", 0, err
	}
	if text, err = PlainText(text); err != nil {
		return "", 0, fmt.Errorf("%s %w", path, err)
	}
	return text, mode, nil
}

// makeKey writes a new key under a temporary name, makes it durable, and only
// then gives it its name: a crash leaves a whole key or none. A key that
// another process made meanwhile stays, and makeKey is content with it.
func makeKey(path string) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, keyTemporary) // O_EXCL, mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // its second name, or a key never used
	key := make([]byte, keyBytes)
	_, _ = rand.Read(key) // it never fails: the program ends first
	_, err = f.Write(key)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	// A link, unlike a rename, never replaces a key.
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("link: %w", errors.Unwrap(err))
	}
	return syncDir(dir)
}
