package config

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
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
	// Fault D7: the target folder of COPY has the builder's mode, a folder that is copied keeps its own.
	if !strings.Contains(text, "install -d -m 0700 /out/image/data") || !strings.Contains(last, "--chown=65532:65532 /out/image/ /\n") {
		t.Error("the folder /data may have another mode than 0700")
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
	for _, name := range []string{".env", "data", "secrets", ".git", "client/node_modules"} {
		if !strings.Contains(ignored, "\n"+name+"\n") {
			t.Errorf("%s may get into an image", name)
		}
	}
}

// composed is what docker-compose.yml says of a service.
type composed struct {
	Image       string
	Build       any
	Profiles    []string
	Entrypoint  []string
	Ports       []string
	Environment map[string]string
	Secrets     []string
	Volumes     []string
	Tmpfs       []string
	Restart     string
	ReadOnly    bool     `yaml:"read_only"`
	CapDrop     []string `yaml:"cap_drop"`
	SecurityOpt []string `yaml:"security_opt"`
	MemLimit    string   `yaml:"mem_limit"`
	PidsLimit   int      `yaml:"pids_limit"`
	StopGrace   string   `yaml:"stop_grace_period"`
	Healthcheck struct{ Test []string }
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	Networks    yaml.Node
}

// server reports whether a service is the program of this repository.
func (c composed) server() bool { return c.Build != nil }

func compose(t *testing.T) (services map[string]composed, secrets map[string]struct{ File string }) {
	t.Helper()
	var file struct {
		Services map[string]composed
		Secrets  map[string]struct{ File string }
	}
	if err := yaml.Unmarshal([]byte(readText(t, "../../../docker-compose.yml")), &file); err != nil {
		t.Fatal(err)
	}
	return file.Services, file.Secrets
}

// started are the services of a profile; "" is that of a command that names none.
func started(services map[string]composed, profile string) (names []string) {
	for name, service := range services {
		if len(service.Profiles) == 0 || slices.Contains(service.Profiles, profile) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Without a profile there is one container; with "scale" there are two nodes
// and all they stand on. Either way one service has the port, on this machine.
func TestComposeProfiles(t *testing.T) {
	services, _ := compose(t)
	for profile, want := range map[string][]string{
		"": {"social-server"}, "scale": {"balancer", "node-1", "node-2", "postgres", "redis"},
	} {
		names := started(services, profile)
		if !slices.Equal(names, want) {
			t.Errorf("profile %q starts %v, want %v", profile, names, want)
		}
		var ports []string
		for _, name := range names {
			ports = append(ports, services[name].Ports...)
			for other := range services[name].DependsOn {
				if !slices.Contains(names, other) {
					t.Errorf("%s needs %s, which profile %q does not start", name, other, profile)
				}
			}
		}
		if !slices.Equal(ports, []string{"127.0.0.1:3000:3000"}) {
			t.Errorf("profile %q publishes %v", profile, ports)
		}
	}
}

// Every container may do no more than it has to, and says how it is.
func TestComposeHardening(t *testing.T) {
	services, _ := compose(t)
	cfg, err := Load(noDotenv, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range services {
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) ||
			s.MemLimit == "" || s.PidsLimit == 0 || s.Restart != "unless-stopped" {
			t.Errorf("%s is not held as tightly as the others: %+v", name, s)
		}
		if !slices.ContainsFunc(s.Tmpfs, func(mount string) bool { return strings.HasPrefix(mount, "/tmp:size=") }) {
			t.Errorf("%s has no /tmp", name)
		}
		if !s.server() && !regexp.MustCompile(`:\d+\.\d+\.?\d*-`).MatchString(s.Image) {
			t.Errorf("%s: the image %q has no version", name, s.Image)
		}
		if !s.server() && len(s.Healthcheck.Test) == 0 { // the image of the server has its own
			t.Errorf("%s does not say how it is", name)
		}
		for other, how := range s.DependsOn {
			if how.Condition != "service_healthy" {
				t.Errorf("%s does not wait until %s is healthy", name, other)
			}
		}
		grace, err := time.ParseDuration(s.StopGrace)
		if err != nil || s.server() && grace <= cfg.ShutdownWithin {
			t.Errorf("%s is killed after %v, though it may take %v to stop: %v", name, grace, cfg.ShutdownWithin, err)
		}
	}
	if !slices.Contains(services["social-server"].Volumes, "data:/data") || !slices.Contains(services["postgres"].Volumes, "postgres:/var/lib/postgresql/data") {
		t.Error("data is not in a volume")
	}
}

// What the nodes are given is a configuration: every variable exists, every
// secret is made by the script, and the balancer that is believed is ours.
func TestComposeConfiguration(t *testing.T) {
	services, secrets := compose(t)
	folder := filepath.Join(t.TempDir(), "secrets")
	if out, err := exec.Command("sh", "../../deploy/secrets.sh", folder).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	for name, s := range services {
		for _, secret := range s.Secrets {
			if secrets[secret].File != "./secrets/"+secret || readText(t, filepath.Join(folder, secret)) == "" {
				t.Errorf("%s: nothing makes the secret %s", name, secret)
			}
		}
		if !s.server() {
			continue
		}
		env := []string{"LISTEN_ADDR=:3000", "DATA_DIR=/data"} // as the image says
		for variable, value := range s.Environment {
			checkNames(t, [][]string{{"", variable}})
			value = regexp.MustCompile(`\$\{\w+:-(.*)\}`).ReplaceAllString(value, "$1")
			if secret, ok := strings.CutPrefix(value, containerSecrets); ok {
				variable, value = strings.TrimSuffix(variable, "_FILE"), readText(t, filepath.Join(folder, secret))
			}
			env = append(env, variable+"="+value)
		}
		cfg, err := Load(noDotenv, env)
		if err != nil {
			t.Errorf("%s does not start: %v", name, err)
			continue
		}
		if node := name != "social-server"; cfg.SeveralNodes() != node || cfg.Postgres() != node {
			t.Errorf("%s: several nodes %t, PostgreSQL %t", name, cfg.SeveralNodes(), cfg.Postgres())
		}
		if name != "social-server" && !strings.Contains(readText(t, "../../deploy/nginx.conf"), "server "+name+":3000 ") {
			t.Errorf("the balancer does not know %s", name)
		}
	}
	var balancer struct {
		Inside struct {
			Address string `yaml:"ipv4_address"`
		}
	}
	networks := services["balancer"].Networks
	if err := networks.Decode(&balancer); err != nil || !strings.Contains(services["node-1"].Environment["TRUSTED_PROXIES"], balancer.Inside.Address) || balancer.Inside.Address == "" {
		t.Errorf("the nodes do not believe the balancer at %q: %v", balancer.Inside.Address, err)
	}
	if err := exec.Command("sh", "../../deploy/secrets.sh", folder).Run(); err == nil {
		t.Error("secrets that are in use were made anew")
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
