//go:build unix

package config

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

func prepared(t *testing.T, dir string, env ...string) Config {
	t.Helper()
	cfg, err := Load(noDotenv, append(env, "DATA_DIR="+dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := cfg.PrepareDataDir(); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestDataDirIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	prepared(t, dir)
	if mode := modeOf(t, dir); mode != 0o700 {
		t.Errorf("mode %04o, want 0700", mode)
	}
	if left := names(t, dir); len(left) != 0 {
		t.Errorf("%q left behind", left)
	}
	prepared(t, dir) // a second start finds it good
}

func TestBadDataDir(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, "")
	open := filepath.Join(dir, "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o755); err != nil { // past the umask
		t.Fatal(err)
	}
	write(t, filepath.Join(open, "note"), "")
	bad := map[string]string{
		"a file":               file,
		"below a file":         filepath.Join(file, "data"),
		"readable by everyone": open,
	}
	if runtime.GOOS == "linux" {
		bad["not writable, even by root"] = "/proc/self/fd" // mode 0500, in a system that takes no files
	}
	for name, path := range bad {
		t.Run(name, func(t *testing.T) {
			cfg, err := Load(noDotenv, []string{"DATA_DIR=" + path})
			if err != nil {
				t.Fatal(err)
			}
			checkRefusal(t, cfg.PrepareDataDir(), "DATA_DIR")
		})
	}
}

// Fault D7: builders of images make the folder with a mode of their own. One that
// is empty and ours is closed; one that holds anything is refused (TestBadDataDir).
func TestEmptyFolderIsClosed(t *testing.T) {
	for _, mode := range []os.FileMode{0o755, 0o777, 0o705} {
		dir := t.TempDir()
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		prepared(t, dir)
		if got := modeOf(t, dir); got != 0o700 {
			t.Errorf("%04o became %04o, want 0700", mode, got)
		}
	}
}

// Fault D1: Kubernetes gives a volume and all its files to the pod's fsGroup at
// every start. One rule for all files of the server: its group may do what the
// folder lets it do, and nobody else anything.
func TestFilesFollowTheFolder(t *testing.T) {
	files := []string{keyFile, "social.db", "social.db-wal", "social.db-shm", "social.db.lock", "social.db.before-restore-x"}
	for _, tt := range []struct{ folder, file, want os.FileMode }{
		{0o770 | os.ModeSetgid, 0o660, 0o660},
		{0o770 | os.ModeSetgid, 0o666, 0o660},
		{0o770 | os.ModeSetgid, 0o600, 0o600},
		{0o750, 0o660, 0o640},
		{0o700, 0o660, 0o600},
		{0o700, 0o644, 0o600},
	} {
		dir := t.TempDir()
		for _, name := range append(files, "note") {
			write(t, filepath.Join(dir, name), goodSecret)
			if err := os.Chmod(filepath.Join(dir, name), tt.file); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(dir, tt.folder); err != nil {
			t.Fatal(err)
		}
		cfg := prepared(t, dir)
		for _, name := range files {
			if got := modeOf(t, filepath.Join(dir, name)); got != tt.want {
				t.Errorf("%s, %04o in a folder of %04o, became %04o, want %04o", name, tt.file, tt.folder, got, tt.want)
			}
		}
		if got := modeOf(t, filepath.Join(dir, "note")); got != tt.file {
			t.Errorf("a file of somebody else's became %04o", got)
		}
		former := "JWT_SECRET_PREVIOUS_FILE=" + filepath.Join(dir, keyFile)
		if keys, err := Load(noDotenv, []string{"DATA_DIR=" + dir, former}); err != nil {
			t.Error(err)
		} else if _, err := keys.SigningKeys(); err != nil {
			t.Errorf("a former key in a folder of %04o: %v", tt.folder, err)
		}
		if key, err := cfg.SigningKey(); err != nil || key.Reveal() != goodSecret {
			t.Errorf("the key in a folder of %04o: %v", tt.folder, err)
		}
	}
}

func TestSigningKeyIsMadeOnceAndKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	cfg := prepared(t, dir)
	first, err := cfg.SigningKey()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(first.Reveal()); n != 32 {
		t.Errorf("%d bytes, want 32", n)
	}
	if mode := modeOf(t, filepath.Join(dir, keyFile)); mode != 0o600 {
		t.Errorf("mode %04o, want 0600", mode)
	}
	if left := names(t, dir); !slices.Equal(left, []string{keyFile}) {
		t.Errorf("folder holds %q, want the key alone", left)
	}
	again, err := cfg.SigningKey()
	if err != nil || again.Reveal() != first.Reveal() {
		t.Errorf("the second start has another key (%v)", err)
	}
}

// A crash between making the temporary file and naming it leaves that file,
// empty or in part, and no key: the next start makes one.
func TestCrashWhileMakingTheKey(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, ".jwt.key-123"), "")
	cfg := prepared(t, dir)
	key, err := cfg.SigningKey()
	if err != nil || len(key.Reveal()) != keyBytes {
		t.Fatalf("SigningKey() has %d bytes, %v", len(key.Reveal()), err)
	}
}

// Processes that start together on an empty folder end with one key.
func TestSigningKeyRace(t *testing.T) {
	cfg := prepared(t, filepath.Join(t.TempDir(), "data"))
	keys := make([]string, 16)
	var all sync.WaitGroup
	for i := range keys {
		all.Go(func() {
			key, err := cfg.SigningKey()
			if err != nil {
				t.Error(err)
			}
			keys[i] = key.Reveal()
		})
	}
	all.Wait()
	if len(slices.Compact(keys)) != 1 {
		t.Error("starts at once have different keys")
	}
}

func TestBadOwnKey(t *testing.T) {
	tests := map[string]struct {
		text string
		mode os.FileMode
	}{
		"empty":                {"", 0o600},
		"short":                {"hunter2", 0o600},
		"open to the group":    {goodSecret, 0o640},
		"open to everyone":     {goodSecret, 0o604},
		"larger than any key":  {strings.Repeat(goodSecret, 200), 0o600},
		"writable by everyone": {goodSecret, 0o602},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := prepared(t, filepath.Join(t.TempDir(), "data"))
			file := filepath.Join(cfg.DataDir, keyFile)
			write(t, file, tt.text)
			if err := os.Chmod(file, tt.mode); err != nil {
				t.Fatal(err)
			}
			_, err := cfg.SigningKey()
			checkRefusal(t, err, "DATA_DIR")
			if text, _ := os.ReadFile(file); string(text) != tt.text {
				t.Error("the refused key was changed")
			}
		})
	}
}

func TestSecretFile(t *testing.T) {
	tests := map[string]struct {
		text string
		mode os.FileMode
		want string // "" means refused
	}{
		"as it is":          {goodSecret, 0o600, goodSecret},
		"with a line end":   {goodSecret + "\n", 0o400, goodSecret},
		"with a DOS end":    {goodSecret + "\r\n", 0o600, goodSecret},
		"read by its group": {goodSecret, 0o440, goodSecret},
		"read by everyone":  {goodSecret, 0o644, ""},
		"written by all":    {goodSecret, 0o622, ""},
		"empty":             {"", 0o600, ""},
		"short":             {"hunter2\n", 0o600, ""},
		"an example":        {"changeme-hunter2-hunter2-hunter2-hunter2", 0o600, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "secret")
			write(t, file, tt.text)
			if err := os.Chmod(file, tt.mode); err != nil {
				t.Fatal(err)
			}
			cfg := prepared(t, filepath.Join(dir, "data"), "JWT_SECRET_FILE="+file)
			key, err := cfg.SigningKey()
			if tt.want == "" {
				checkRefusal(t, err, "JWT_SECRET_FILE")
				return
			}
			if err != nil || key.Reveal() != tt.want {
				t.Errorf("SigningKey() = %q, %v", key.Reveal(), err)
			}
			if left := names(t, cfg.DataDir); len(left) != 0 {
				t.Errorf("%q made beside a key that was given", left)
			}
		})
	}
}

func TestSecretFileMissing(t *testing.T) {
	cfg := prepared(t, filepath.Join(t.TempDir(), "data"), "JWT_SECRET_FILE=no/such/file")
	_, err := cfg.SigningKey()
	checkRefusal(t, err, "JWT_SECRET_FILE")
	cfg = prepared(t, filepath.Join(t.TempDir(), "data"), "JWT_SECRET_FILE="+t.TempDir())
	_, err = cfg.SigningKey()
	checkRefusal(t, err, "JWT_SECRET_FILE")
}

// A folder that takes no new file says so as one line about DATA_DIR.
func TestKeyCannotBeMade(t *testing.T) {
	cfg := prepared(t, filepath.Join(t.TempDir(), "data"))
	if err := os.Remove(cfg.DataDir); err != nil {
		t.Fatal(err)
	}
	_, err := cfg.SigningKey()
	checkRefusal(t, err, "DATA_DIR")
}
