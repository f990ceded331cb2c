package config

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

func readText(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The image holds the program alone, runs it as nobody in particular, and
// carries no secret. No engine is needed to see that.
func TestDockerfile(t *testing.T) {
	text := readText(t, "../../Dockerfile")
	last := text[strings.LastIndex(text, "\nFROM "):]
	for _, line := range []string{
		"\nFROM scratch\n", "\nUSER 65532:65532\n", "\nVOLUME /data\n",
		`CMD ["/social-server", "healthcheck"]`, `ENTRYPOINT ["/social-server"]`,
	} {
		if !strings.Contains(last, line) {
			t.Errorf("the image lacks %q", strings.TrimSpace(line))
		}
	}
	if !strings.Contains(text, "CGO_ENABLED=0 go build -trimpath") {
		t.Error("the program is not static, and scratch has no libraries")
	}
	for _, base := range regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(text, -1) {
		if base[1] != "scratch" && !regexp.MustCompile(`:\d`).MatchString(base[1]) {
			t.Errorf("base %s has no version", base[1])
		}
	}
	if found := regexp.MustCompile(`(?mi)^(ENV|ARG) .*(secret|password|token|key)`).FindString(text); found != "" {
		t.Errorf("%q stays in the image", found)
	}
	goVersion := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(readText(t, "../../go.mod"))[1]
	if !strings.Contains(text, "FROM golang:"+goVersion+"-") {
		t.Errorf("the image is not built with Go %s, as go.mod says", goVersion)
	}
	checkNames(t, regexp.MustCompile(`([A-Z_]+)=`).FindAllStringSubmatch(regexp.MustCompile(`(?m)^ENV .*`).FindString(last), -1))
}

func TestImageIsMadeWithoutSecrets(t *testing.T) {
	ignored := "\n" + readText(t, "../../Dockerfile.dockerignore")
	for _, name := range []string{".env", "data", ".git", "client/node_modules"} {
		if !strings.Contains(ignored, "\n"+name+"\n") {
			t.Errorf("%s may get into an image", name)
		}
	}
}

func TestCompose(t *testing.T) {
	text := readText(t, "../../../docker-compose.yml")
	for _, line := range []string{
		"    read_only: true\n", "    cap_drop:\n      - ALL\n", "      - no-new-privileges:true\n",
		"      - data:/data\n", "      - /tmp:", "      - \"127.0.0.1:3000:3000\"\n", "    pids_limit: ", "    mem_limit: ",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("docker-compose.yml lacks %q", strings.TrimSpace(line))
		}
	}
	checkNames(t, regexp.MustCompile(`(?m)^      ([A-Z_]+):`).FindAllStringSubmatch(text, -1))
	grace, err := time.ParseDuration(regexp.MustCompile(`stop_grace_period: (\S+)`).FindStringSubmatch(text)[1])
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := Load(noDotenv, nil)
	if err != nil {
		t.Fatal(err)
	}
	if grace <= cfg.ShutdownWithin {
		t.Errorf("killed after %v, though it may take %v to stop", grace, cfg.ShutdownWithin)
	}
}

// checkNames fails unless every variable that is set exists.
func checkNames(t *testing.T, found [][]string) {
	t.Helper()
	if len(found) == 0 {
		t.Error("no variable found: did the form of the file change?")
	}
	for _, one := range found {
		if !known(one[1]) {
			t.Errorf("%s is set, and no such variable exists", one[1])
		}
	}
}
