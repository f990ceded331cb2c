package config

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// inUTF16 returns a text as Windows writes it.
func inUTF16(text string, order binary.AppendByteOrder) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(byteOrderMark + text)) {
		b = order.AppendUint16(b, unit)
	}
	return string(b)
}

// Fault D3: what a .env file says is taken as it is written, or refused with file
// and line. No value is another one in silence.
func TestDotenvIsTakenAsWritten(t *testing.T) {
	const secret = "p4$WORD-hunter2-hunter2-hunter2-xyz"
	tests := map[string]struct {
		text string
		want string // JWT_SECRET; "" means refused
		says string
	}{
		"plain":                    {"JWT_SECRET=" + goodSecret, goodSecret, ""},
		"double quotes":            {`JWT_SECRET="` + goodSecret + `"`, goodSecret, ""},
		"exported":                 {"export JWT_SECRET=" + goodSecret, goodSecret, ""},
		"with spaces and comments": {"# one\n\n  JWT_SECRET = " + goodSecret + " # two\n", goodSecret, ""},
		"quoted, with a comment":   {"JWT_SECRET='" + goodSecret + "' # two\n", goodSecret, ""},
		"DOS line ends":            {"LOG_LEVEL=info\r\nJWT_SECRET=" + goodSecret + "\r\n", goodSecret, ""},
		"byte order mark":          {byteOrderMark + "JWT_SECRET=" + goodSecret + "\n", goodSecret, ""},
		"$ in single quotes":       {"JWT_SECRET='" + secret + "'", secret, ""},
		"other signs in them":      {`JWT_SECRET='a\b"c#d e=f $(g) ~hunter2-hunter2-hunter2'`, `a\b"c#d e=f $(g) ~hunter2-hunter2-hunter2`, ""},
		"~ where it means nothing": {"JWT_SECRET=~" + goodSecret, "~" + goodSecret, ""},
		"backslash":                {`JWT_SECRET=a\b` + goodSecret, `a\b` + goodSecret, ""},
		"Docker Compose's":         {"COMPOSE_PROJECT_NAME=${USER}x\nJWT_SECRET=" + goodSecret, goodSecret, ""},

		"$":                      {"\nJWT_SECRET=" + secret, "", ".env: line 2 has a $ in JWT_SECRET: put the value in 'single quotes'"},
		"$ in double quotes":     {`JWT_SECRET="` + secret + `"`, "", "line 1 has a $ in JWT_SECRET"},
		"$ of a shell":           {"JWT_SECRET=$(openssl rand -base64 48)", "", "line 1 has a $"},
		"$ of another variable":  {"LOG_LEVEL=info\nJWT_SECRET=${LOG_LEVEL}" + goodSecret, "", "line 2 has a $"},
		"backslash in quotes":    {`JWT_SECRET="a\b` + goodSecret + `"`, "", "line 1 has a quote or a backslash in JWT_SECRET"},
		"behind the quote":       {"JWT_SECRET='" + goodSecret + "'x", "", "line 1"},
		"an open quote":          {"JWT_SECRET='" + goodSecret + "\nLOG_LEVEL='info'", "", "line 1 is not NAME=value"},
		"more than one":          {"JWT_SECRET='" + goodSecret + "' LOG_LEVEL=info", "", "line 1 is not NAME=value"},
		"a word":                 {"# a\n# b\nhunter2", "", ".env: line 3 is not NAME=value"},
		"no name":                {"=hunter2", "", "line 1 is not NAME=value"},
		"twice":                  {"JWT_SECRET=" + goodSecret + "\n\nJWT_SECRET=" + goodSecret, "", "line 3 sets JWT_SECRET, and so does line 1"},
		"unknown":                {"\n\nJWT_SECRETS=" + goodSecret, "", "line 3, but no such variable exists"},
		"a bad value":            {"\nJWT_SECRET=hunter2", "", ".env, line 2)"},
		"UTF-16":                 {inUTF16("JWT_SECRET="+goodSecret, binary.LittleEndian), "", ".env: is UTF-16: save it as UTF-8"},
		"UTF-16, big end first":  {inUTF16("JWT_SECRET="+goodSecret, binary.BigEndian), "", "is UTF-16"},
		"UTF-16, nothing in it":  {inUTF16("\n", binary.LittleEndian), "", "line 1 is not UTF-8 text"},
		"Latin 1":                {"LOG_LEVEL=info\nJWT_SECRET=\xe4" + goodSecret, "", "line 2 is not UTF-8 text"},
		"a byte order mark more": {"LOG_LEVEL=info\n" + byteOrderMark + "JWT_SECRET=" + goodSecret, "", "line 2 is not NAME=value"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), ".env")
			write(t, file, tt.text)
			cfg, err := Load(file, nil)
			if tt.want != "" {
				if got := cfg.jwtSecret.Reveal(); err != nil || got != tt.want {
					t.Errorf("got %q %v, want %q", got, err, tt.want)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), goodSecret[1:]) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
		})
	}
}

// Fault D3: a ~ that no shell has replaced is no folder of that name, wherever a
// path is named and wherever the value comes from.
func TestTildeIsRefused(t *testing.T) {
	for _, v := range variables() {
		if v.name != "DATA_DIR" && v.name != "SETTINGS_SCHEMA" && !strings.HasSuffix(v.name, "_FILE") {
			continue
		}
		for _, value := range []string{"~", "~/x", "~root/x"} {
			_, err := Load(noDotenv, []string{v.name + "=" + value})
			checkRefusal(t, err, v.name)
			if err != nil && !strings.Contains(err.Error(), "begins with ~") {
				t.Errorf("%s=%s: %v", v.name, value, err)
			}
		}
	}
	if cfg, err := Load(noDotenv, []string{"DATA_DIR=./~"}); err != nil || cfg.DataDir != "./~" {
		t.Errorf("%q %v", cfg.DataDir, err)
	}
}

// Fault D3, in files that hold secrets and in the environment itself.
func TestFilesWrittenOnWindows(t *testing.T) {
	const address = "postgres://me:it@localhost/social"
	for name, tt := range map[string]struct {
		write func(string) string
		says  string // "": it is taken
	}{
		"byte order mark, DOS line end": {func(text string) string { return byteOrderMark + text + "\r\n" }, ""},
		"UTF-16":                        {func(text string) string { return inUTF16(text+"\r\n", binary.LittleEndian) }, "is UTF-16: save it as UTF-8"},
	} {
		file := func(text string) string {
			file := filepath.Join(t.TempDir(), "file")
			write(t, file, tt.write(text))
			if err := os.Chmod(file, 0o600); err != nil {
				t.Fatal(err)
			}
			return file
		}
		for variable, text := range map[string]string{
			"JWT_SECRET_FILE": goodSecret, "JWT_SECRET_PREVIOUS_FILE": goodSecret + "\r\nx" + goodSecret, "DATABASE_URL_FILE": address,
		} {
			t.Run(fmt.Sprint(name, " in ", variable), func(t *testing.T) {
				env := []string{variable + "=" + file(text)}
				if variable != "JWT_SECRET_FILE" {
					env = append(env, "JWT_SECRET="+goodSecret)
				}
				cfg, err := Load(noDotenv, env)
				var keys []Secret
				if err == nil {
					keys, err = cfg.SigningKeys()
				}
				if tt.says != "" {
					checkRefusal(t, err, variable)
					if err != nil && !strings.Contains(err.Error(), tt.says) {
						t.Errorf("got %v", err)
					}
					return
				}
				if err != nil || keys[0].Reveal() != goodSecret {
					t.Fatalf("%q %v", keys, err)
				}
				if last := keys[len(keys)-1].Reveal(); variable == "JWT_SECRET_PREVIOUS_FILE" && last != "x"+goodSecret {
					t.Errorf("a former key is %q", last)
				}
				if got := cfg.DatabaseURL.Reveal(); variable == "DATABASE_URL_FILE" && got != address {
					t.Errorf("the address is %q", got)
				}
			})
		}
	}
	_, err := Load(noDotenv, []string{byteOrderMark + "DATA_DIR=x"})
	checkRefusal(t, err, "DATA_DIR")
}
