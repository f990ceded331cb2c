package deploy

import (
	"database/sql"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"go.yaml.in/yaml/v3"

	"social-server/internal/errs"
	"social-server/internal/metrics"
)

// shown are the names of all series that the program shows, by kind of metric.
func shown(t *testing.T) map[string]string {
	t.Helper()
	m := metrics.New()
	m.Built("v1")
	m.Watch(func() (int, int) { return 0, 0 })
	m.WatchPool("write", func() sql.DBStats { return sql.DBStats{} })
	m.WatchClock(func() (time.Time, error) { return time.Now(), nil })
	m.Committed(1, time.Second, nil) // what has labels shows once it was counted
	m.Refused(errs.Invalid)
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	all := map[string]string{}
	for _, found := range regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)`).FindAllStringSubmatch(w.Body.String(), -1) {
		all[found[1]] = found[2]
	}
	return all
}

// series finds the names of metrics in an expression.
var series = regexp.MustCompile(`\b(?:social|go|process)_[a-z_]+`)

// checkSeries fails unless every name in an expression is one the program shows.
// It returns the metrics they belong to.
func checkSeries(t *testing.T, where, expression string, shown map[string]string) []string {
	t.Helper()
	var used []string
	for _, name := range series.FindAllString(expression, -1) {
		metric := name
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base := strings.TrimSuffix(name, suffix); base != name && shown[base] == "histogram" {
				metric = base
			}
		}
		if shown[metric] == "" || metric == name && shown[name] == "histogram" {
			t.Errorf("%s asks for %s, which is not shown", where, name)
		}
		used = append(used, metric)
	}
	return used
}

// panel is a part of the dashboard.
type panel struct {
	Title       string `json:"title"`
	Type        string `json:"type"`
	Description string `json:"description"`
	Datasource  struct {
		UID string `json:"uid"`
	} `json:"datasource"`
	Targets []struct {
		Expr string `json:"expr"`
	} `json:"targets"`
}

// The dashboard shows every metric of ours, and none that is not there. It is
// tied to no installation: its source of data is a variable.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile("grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []panel `json:"panels"`
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	all, used := shown(t), map[string]bool{}
	for _, p := range dashboard.Panels {
		if p.Type == "row" {
			continue
		}
		if p.Description == "" || len(p.Targets) == 0 || p.Datasource.UID != "${datasource}" {
			t.Errorf("the panel %q lacks a description, a query, or the variable of its source", p.Title)
		}
		for _, target := range p.Targets {
			for _, metric := range checkSeries(t, p.Title, target.Expr, all) {
				used[metric] = true
			}
		}
	}
	for _, metric := range slices.Sorted(maps.Keys(all)) {
		if strings.HasPrefix(metric, "social_") && !used[metric] {
			t.Errorf("%s is on no panel", metric)
		}
	}
}

// Every alert asks for metrics that are there, and tells who is woken what it
// means and what to do.
func TestAlerts(t *testing.T) {
	text, err := os.ReadFile("alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr, For string
				Labels           map[string]string
				Annotations      map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	all, rules := shown(t), 0
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			rules++
			if len(checkSeries(t, rule.Alert, rule.Expr, all)) == 0 {
				t.Errorf("%s asks for nothing", rule.Alert)
			}
			if rule.Labels["severity"] != "page" || rule.Annotations["summary"] == "" {
				t.Errorf("%s does not say what it means", rule.Alert)
			}
			if sentences := strings.Count(rule.Annotations["runbook"]+" ", ". "); sentences < 1 || sentences > 2 {
				t.Errorf("%s: %d sentences say what to do, want one or two", rule.Alert, sentences)
			}
			if rule.For != "" {
				if _, err := time.ParseDuration(rule.For); err != nil {
					t.Errorf("%s: %v", rule.Alert, err)
				}
			}
		}
	}
	if rules == 0 || rules > 10 {
		t.Errorf("%d alerts: few are read", rules)
	}
}
