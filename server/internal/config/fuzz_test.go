package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// FuzzLoad feeds anything at all as a .env file: it is a configuration, or it is
// refused in one line that names something and shows no secret.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(Example()))
	for _, tt := range badConfigurations {
		f.Add([]byte(tt.env))
	}
	for _, text := range []string{"", "=", "A", "A=B=C", "LISTEN_ADDR='", "export DATA_DIR=x", "JWT_SECRET=$LISTEN_ADDR", "\xff=\xff", "\r\n\r\n"} {
		f.Add([]byte(text))
	}
	file := filepath.Join(f.TempDir(), ".env")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := Load(file, nil)
		if err == nil {
			if cfg.ListenAddr == "" || cfg.DataDir == "" || cfg.Limits.FrameBytes <= 0 || cfg.Accounts.AccessTokenTTL <= 0 {
				t.Errorf("%q left holes: %+v", text, cfg)
			}
			return
		}
		var refusal *Error
		if !errors.As(err, &refusal) || refusal.Variable == "" || refusal.Problem == "" {
			t.Errorf("%q: %v does not say what is wrong", text, err)
		}
	})
}

// TestEveryNumberHasBounds tries each figure far outside of what makes sense.
func TestEveryNumberHasBounds(t *testing.T) {
	figures := []string{"PASSWORD_MIN_LENGTH", "ACCESS_TOKEN_TTL", "REFRESH_TOKEN_TTL", "LOGIN_TTL", "LOGIN_FAILURES", "LOGINS_PER_MINUTE", "SHUTDOWN_TIMEOUT"}
	for _, v := range variables() {
		if !slices.Contains([]string{"Limits", "Waits and keeping"}, v.group) && !slices.Contains(figures, v.name) {
			continue
		}
		for _, value := range []string{"-1", "0", "0s", "-1h", "9999999999", "2000000h", "NaN", "1e3", "0x10", "١٢", "1 2"} {
			_, err := Load(noDotenv, []string{v.name + "=" + value})
			checkRefusal(t, err, v.name)
		}
	}
}

// A refusal is printed as it is: control characters in a value must not reach
// the terminal.
func TestRefusalsAreOneLine(t *testing.T) {
	for _, name := range []string{"LISTEN_ADDR", "ALLOWED_ORIGINS", "LOG_LEVEL", "REGISTRATION", "ACCESS_TOKEN_TTL", "SETTINGS_SCHEMA", "METRICS_ADDR"} {
		_, err := Load(noDotenv, []string{name + "=a\nb\x1b[31mc\rd"})
		checkRefusal(t, err, name)
		if strings.ContainsAny(err.Error(), "\x1b") {
			t.Errorf("%q reaches the terminal as it is", err)
		}
	}
}

// Folders and files are named in refusals too.
func TestRefusalsNameFoldersSafely(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a\nb")
	write(t, dir, "a file")
	cfg, err := Load(noDotenv, []string{"DATA_DIR=" + dir})
	if err != nil {
		t.Fatal(err)
	}
	checkRefusal(t, cfg.PrepareDataDir(), "DATA_DIR")
}
