// Package metrics counts what an operator wants to watch, in the form
// Prometheus reads. The rooms that are watched do not know it: they call plain
// functions that main hands them.
package metrics

import (
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"social-server/internal/errs"
)

// Metrics are the program's counters. Its methods may be called from many goroutines.
type Metrics struct {
	registry *prometheus.Registry

	commits  *prometheus.HistogramVec // seconds, by result
	group    prometheus.Histogram     // patches per commit
	refusals *prometheus.CounterVec   // by code
	resyncs  prometheus.Counter
}

// New returns metrics that stand at zero.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		commits: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "social_commit_seconds", Help: "Time of one group commit, by result.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}, []string{"result"}),
		group: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "social_commit_patches", Help: "Patches in one group commit.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 9),
		}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "social_refusals_total", Help: "Requests and patches refused, by code.",
		}, []string{"code"}),
		resyncs: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "social_resyncs_total", Help: "Devices whose seal differed and that asked for everything again. It must stay 0.",
		}),
	}
	m.registry.MustRegister(m.commits, m.group, m.refusals, m.resyncs,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Committed notes one group commit and its end.
func (m *Metrics) Committed(patches int, took time.Duration, err error) {
	result := "ok"
	if err != nil {
		result = "failed"
	}
	m.commits.WithLabelValues(result).Observe(took.Seconds())
	m.group.Observe(float64(patches))
}

// Refused notes a refusal. Codes are a closed set, so that labels stay few.
func (m *Metrics) Refused(code errs.Code) { m.refusals.WithLabelValues(string(code)).Inc() }

// Resynced notes a device whose seal differed (SPEC S7).
func (m *Metrics) Resynced() { m.resyncs.Inc() }

// Watch adds the counts of live sessions and hubs, read when they are asked for.
func (m *Metrics) Watch(sessions func() (sessions, hubs int)) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "social_sessions", Help: "Live sessions of this node."},
			func() float64 { n, _ := sessions(); return float64(n) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "social_hubs", Help: "Users with a live session on this node."},
			func() float64 { _, n := sessions(); return float64(n) }))
}

// Handler serves /metrics and Go's profiles. It shows the inside of the
// program, so it belongs on a listener of its own, on loopback (SEC-46).
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}
