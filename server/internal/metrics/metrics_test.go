package metrics

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"social-server/internal/errs"
)

func TestWhatIsCountedIsShown(t *testing.T) {
	m := New()
	m.Watch(func() (int, int) { return 5, 2 })
	m.Committed(3, 2*time.Millisecond, nil)
	m.Committed(1, time.Second, errors.New("no"))
	m.Refused(errs.Invalid)
	m.Refused(errs.Invalid)
	m.Resynced()
	text := get(t, m, "/metrics")
	for _, line := range []string{
		`social_commit_seconds_count{result="ok"} 1`, `social_commit_seconds_count{result="failed"} 1`,
		"social_commit_patches_sum 4", `social_refusals_total{code="invalid"} 2`, "social_resyncs_total 1",
		"social_sessions 5", "social_hubs 2", "go_goroutines ",
	} {
		if !strings.Contains(text, "\n"+line) {
			t.Errorf("no %q", line)
		}
	}
	if !strings.Contains(get(t, m, "/debug/pprof/"), "goroutine") {
		t.Error("no profiles")
	}
}

func get(t *testing.T, m *Metrics, path string) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d", path, w.Code)
	}
	return w.Body.String()
}
