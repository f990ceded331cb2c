// Package metrics counts what an operator wants to watch, in the form
// Prometheus reads. The rooms that are watched do not know it: they call plain
// functions that main hands them.
package metrics

import (
	"math"
	"net/http"
	"net/http/pprof"
	"runtime"
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
	fanout   prometheus.Histogram     // seconds
	refusals *prometheus.CounterVec   // by code
	limited  words                    // by limiter
	relayed  words                    // by event
	gaps     prometheus.Counter
	resyncs  prometheus.Counter
	drained  prometheus.Counter
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
		fanout: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "social_fanout_seconds", Help: "Time from a change's commit until it was written to one session.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 18),
		}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "social_refusals_total", Help: "Requests and patches refused, by code.",
		}, []string{"code"}),
		limited: newWords("social_limited_total", "Requests and frames that a limiter refused.", "limiter",
			"address", "name", "account", "strangers", "code", "waiting", "frames", "connections"),
		relayed: newWords("social_relay_events_total", "What happened on the relay between nodes.", "event",
			"sent", "received", "dropped", "refused", "resubscribed", "probe-lost"),
		gaps:    counter("social_hub_gaps_total", "Changes that did not follow a hub's revision, so that it read the store."),
		resyncs: counter("social_resyncs_total", "Devices whose seal differed and that asked for everything again. It must stay 0."),
		drained: counter("social_drained_sessions_total", "Sessions sent elsewhere because this node stops."),
	}
	m.registry.MustRegister(m.commits, m.group, m.fanout, m.refusals, m.limited.total, m.relayed.total,
		m.gaps, m.resyncs, m.drained,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
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

// Delivered notes that a change was written to one session, so long after its
// commit. It is called once per delivery: it takes no lock and looks up nothing.
func (m *Metrics) Delivered(took time.Duration) { m.fanout.Observe(took.Seconds()) }

// Refused notes a refusal. Codes are a closed set, so that labels stay few.
func (m *Metrics) Refused(code errs.Code) { m.refusals.WithLabelValues(string(code)).Inc() }

// Limited notes a refusal by one of api.Limiters.
func (m *Metrics) Limited(limiter string) { m.limited.count(limiter) }

// Relayed notes what happened on the relay.
func (m *Metrics) Relayed(event string) { m.relayed.count(event) }

// Gap notes a change that did not follow a hub's revision (SPEC I5).
func (m *Metrics) Gap() { m.gaps.Inc() }

// Resynced notes a device whose seal differed (SPEC S7).
func (m *Metrics) Resynced() { m.resyncs.Inc() }

// Drained notes that this node stops and sends its sessions to others.
func (m *Metrics) Drained(sessions int) { m.drained.Add(float64(sessions)) }

// Built adds which program this is: a metric that is always 1, for its labels.
func (m *Metrics) Built(version string) {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "social_build_info", Help: "The program's version, and that of Go.",
		ConstLabels: prometheus.Labels{"version": version, "go": runtime.Version()},
	})
	info.Set(1)
	m.registry.MustRegister(info)
}

// Watch adds the counts of live sessions and hubs, read when they are asked for.
func (m *Metrics) Watch(sessions func() (sessions, hubs int)) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "social_sessions", Help: "Live sessions of this node."},
			func() float64 { n, _ := sessions(); return float64(n) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "social_hubs", Help: "Users with a live session on this node."},
			func() float64 { _, n := sessions(); return float64(n) }))
}

// WatchClock adds how far this node's clock is ahead of the database's, which is
// asked whenever somebody looks.
func (m *Metrics) WatchClock(database func() (time.Time, error)) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "social_clock_drift_seconds", Help: "This node's clock, as far as it is ahead of the database's.",
	}, func() float64 {
		theirs, err := database()
		if err != nil {
			return math.NaN() // not known; that the database fails shows elsewhere
		}
		return time.Since(theirs).Seconds()
	}))
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
