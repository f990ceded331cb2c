package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/joho/godotenv"
)

// byteOrderMark begins many files that were saved on Windows.
const byteOrderMark = "\ufeff"

// setting is a variable's value in the .env file.
type setting struct {
	value string
	line  int // from 1
}

// readDotenv returns the variables of the file. A name in it that means nothing
// here is most likely misspelt, so it is refused; in the environment, which is
// full of other programs' names, that cannot be told.
func readDotenv(path string) (map[string]setting, error) {
	found := map[string]setting{}
	file, err := os.ReadFile(filepath.Clean(path))
	if errors.Is(err, fs.ErrNotExist) {
		return found, nil
	}
	if err != nil {
		return nil, bad(path, "cannot be read: %v", cause(err))
	}
	text, err := PlainText(string(file))
	if err != nil {
		return nil, bad(path, "%v", err)
	}
	for i, line := range strings.Split(text, "\n") {
		name, value, err := readLine(strings.TrimSuffix(line, "\r"))
		switch {
		case err != nil:
			return nil, bad(path, "line %d %v", i+1, err)
		case name == "" || strings.HasPrefix(name, "COMPOSE_"): // Docker Compose reads the same file, and has names of its own
			continue
		case !known(name):
			return nil, bad(name, "is in %s, line %d, but no such variable exists", path, i+1)
		case found[name].line > 0:
			return nil, bad(path, "line %d sets %s, and so does line %d: keep one of them", i+1, name, found[name].line)
		}
		found[name] = setting{value, i + 1}
	}
	return found, nil
}

// readLine returns the variable that a line sets; "" if it sets none. A value
// that godotenv would read otherwise than it is written is refused: $ and
// backslashes are part of passwords. The error does not show the value.
func readLine(line string) (name, value string, err error) {
	if !utf8.ValidString(line) || strings.ContainsRune(line, 0) {
		return "", "", errors.New("is not UTF-8 text")
	}
	values, err := godotenv.Unmarshal(line)
	if err != nil || len(values) > 1 {
		return "", "", errors.New("is not NAME=value")
	}
	for name, value = range values { // one, or none
		if name == "" {
			return "", "", errors.New("is not NAME=value")
		}
		if strings.HasPrefix(name, "COMPOSE_") {
			return name, value, nil
		}
		written := strings.TrimSpace(line[strings.IndexAny(line, "=:")+1:])
		switch {
		case isWritten(written, "'"+value+"'"):
		case strings.Contains(written, "$"):
			return "", "", fmt.Errorf("has a $ in %s: put the value in 'single quotes'", name)
		case !isWritten(written, value) && !isWritten(written, `"`+value+`"`):
			return "", "", fmt.Errorf("has a quote or a backslash in %s that would change the value: put it in 'single quotes'", name)
		}
	}
	return name, value, nil
}

// isWritten reports whether a text is the value, perhaps with a comment behind it.
func isWritten(text, value string) bool {
	rest, ok := strings.CutPrefix(text, value)
	rest = strings.TrimSpace(rest)
	return ok && (rest == "" || strings.HasPrefix(rest, "#"))
}

// PlainText returns what a text file holds, without a byte order mark. UTF-16,
// which Windows writes too, is an error. Bytes that are no text stay as they are.
func PlainText(text string) (string, error) {
	if everySecondByteIsZero(text) {
		return "", errors.New("is UTF-16: save it as UTF-8")
	}
	if rest, ok := strings.CutPrefix(text, byteOrderMark); ok && utf8.ValidString(rest) {
		return rest, nil
	}
	return text, nil
}

// everySecondByteIsZero finds UTF-16 by the ASCII characters of its first line,
// behind the first, which may be a byte order mark. A random key has no four.
func everySecondByteIsZero(text string) bool {
	line, _, _ := strings.Cut(text, "\n")
	for first := 2; first < 4; first++ {
		zeros, others := 0, 0
		for i := first; i < len(line); i += 2 {
			if line[i] == 0 {
				zeros++
			} else {
				others++
			}
		}
		if zeros >= 4 && others == 0 {
			return true
		}
	}
	return false
}
