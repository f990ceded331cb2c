package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// planted lists the changes that plant bugs in the server. The product has no
// hook for them: they are compiled in by go build -overlay.
var planted = []struct {
	file     string // below internal
	old, new string // text of the file, which must occur once; its replacement
}{
	{"settings/state.go", "(revision uint64) []Entry {\n", "(revision uint64) []Entry {\n\trevision = plantedCursor(revision)\n"},
	{"settings/service.go", "store: store,", "store: planted(store, publisher),"},
	{"store/commit.go", "\thead := g.heads[w.User]\n", "\thead := g.heads[w.User]\n\tplantedHead(g, w.User)\n"},
	{"store/commit.go", "\tg.answers[[2]string{w.Device, w.Patch.ID}] = ", "\tif plantForgetIDs {\n\t\treturn nil\n\t}\n\tg.answers[[2]string{w.Device, w.Patch.ID}] = "},
}

// plant writes the overlay of a server with planted bugs into dir and returns
// its path. Which bug is active is chosen by the variable PLANT of the process.
func plant(dir string) (string, error) {
	internal, err := filepath.Abs("..")
	if err != nil {
		return "", err
	}
	replace := make(map[string]string)
	for _, name := range []string{"settings", "store"} {
		source, err := filepath.Abs(filepath.Join("testdata", "planted", name+".go.txt"))
		if err != nil {
			return "", err
		}
		replace[filepath.Join(internal, name, "planted.go")] = source
	}
	for _, p := range planted {
		path := filepath.Join(internal, p.file)
		changed := filepath.Join(dir, strings.ReplaceAll(p.file, "/", "-"))
		from := path
		if replace[path] != "" {
			from = changed // a second change of the same file
		}
		text, err := os.ReadFile(from) // #nosec G304 -- a source of this module
		if err != nil {
			return "", err
		}
		if n := strings.Count(string(text), p.old); n != 1 {
			return "", fmt.Errorf("%s has %q %d times, not once", p.file, p.old, n)
		}
		if err := os.WriteFile(changed, []byte(strings.Replace(string(text), p.old, p.new, 1)), 0o600); err != nil {
			return "", err
		}
		replace[path] = changed
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, overlay, 0o600)
}
