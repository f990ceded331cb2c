package protocol

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// asyncAPI is the description of the frames, for others to read. Nothing in the
// program uses it: these tests hold it against the golden frames, which in turn
// are held against the code.
type asyncAPI struct {
	Operations map[string]struct {
		Messages []struct {
			Ref string `json:"$ref"`
		}
	}
	Components struct {
		Messages map[string]struct{ Name, Summary string }
	}

	schemas map[string]*jsonschema.Schema // by message, "device.patch"
}

func readAsyncAPI(t *testing.T) asyncAPI {
	t.Helper()
	text, err := os.ReadFile("asyncapi.json")
	if err != nil {
		t.Fatal(err)
	}
	doc := asyncAPI{schemas: map[string]*jsonschema.Schema{}}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	const url = "file:///asyncapi.json"
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(url, parsed); err != nil {
		t.Fatal(err)
	}
	for name := range doc.Components.Messages {
		doc.schemas[name], err = compiler.Compile(url + "#/components/messages/" + name + "/payload")
		if err != nil {
			t.Fatal(err)
		}
	}
	return doc
}

// goldenFiles returns the golden frames of one folder by name.
func goldenFiles(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden frames in %s: %v", folder, err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		all[name] = golden(t, folder+"/"+name)
	}
	return all
}

func TestGoldenFramesAreAsDescribed(t *testing.T) {
	doc := readAsyncAPI(t)
	shown := map[string]bool{}
	for folder, side := range map[string]string{"client": "device", "server": "server"} {
		for name, text := range goldenFiles(t, folder) {
			frame, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			message := side + "." + frame.(map[string]any)["type"].(string)
			schema := doc.schemas[message]
			if schema == nil {
				t.Errorf("%s/%s: asyncapi.json does not describe %s", folder, name, message)
				continue
			}
			if err := schema.Validate(frame); err != nil {
				t.Errorf("%s/%s: %v", folder, name, err)
			}
			shown[message] = true
		}
	}
	for message := range doc.schemas {
		if !shown[message] {
			t.Errorf("asyncapi.json describes %s, of which there is no golden frame", message)
		}
	}
}

// TestRefusedFramesAreNotDescribed: what the server refuses fits no frame a
// device may send. Only what a JSON Schema cannot see is let through here.
func TestRefusedFramesAreNotDescribed(t *testing.T) {
	doc := readAsyncAPI(t)
	below := []string{"bad-utf8", "duplicate-name", "lone-surrogate", "too-deep"} // the text's fault, not the value's
	for name, text := range goldenFiles(t, "refused") {
		frame, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil || slices.Contains(below, name) {
			continue
		}
		for message, schema := range doc.schemas {
			if strings.HasPrefix(message, "device.") && schema.Validate(frame) == nil {
				t.Errorf("refused/%s fits %s", name, message)
			}
		}
	}
}

func TestMessagesAreWhole(t *testing.T) {
	doc := readAsyncAPI(t)
	for operation, side := range map[string]string{"receive": "device.", "send": "server."} {
		var listed []string
		for _, m := range doc.Operations[operation].Messages {
			listed = append(listed, strings.TrimPrefix(m.Ref, "#/channels/live/messages/"))
		}
		var described []string
		for name, m := range doc.Components.Messages {
			if !strings.HasPrefix(name, side) {
				continue
			}
			described = append(described, name)
			if side+m.Name != name || !strings.HasSuffix(m.Summary, ").") {
				t.Errorf("%s: name %q, summary %q: it should end with the rule it is of", name, m.Name, m.Summary)
			}
		}
		slices.Sort(listed)
		slices.Sort(described)
		if !slices.Equal(listed, described) {
			t.Errorf("%s lists %q, described are %q", operation, listed, described)
		}
	}
	if n := len(slices.Collect(maps.Keys(doc.Operations))); n != 2 {
		t.Errorf("%d operations, want receive and send", n)
	}
}
