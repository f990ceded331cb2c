package metrics

import (
	"database/sql"

	"github.com/prometheus/client_golang/prometheus"
)

// WatchPool adds the state of a pool of database connections, by its name,
// read when it is asked for.
func (m *Metrics) WatchPool(name string, stats func() sql.DBStats) {
	m.registry.MustRegister(newPool(name, stats))
}

// pool shows one look at a pool as several metrics, so that they agree.
type pool struct {
	stats                            func() sql.DBStats
	connections, most, waits, waited *prometheus.Desc
}

func newPool(name string, stats func() sql.DBStats) *pool {
	describe := func(metric, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("social_pool_"+metric, help, labels, prometheus.Labels{"pool": name})
	}
	return &pool{
		stats:       stats,
		connections: describe("connections", "Database connections, by whether they are in use.", "state"),
		most:        describe("connections_max", "Most database connections the pool may open."),
		waits:       describe("waits_total", "Times that something waited for a connection."),
		waited:      describe("wait_seconds_total", "Time that was waited for connections."),
	}
}

// Describe names the metrics (prometheus.Collector).
func (p *pool) Describe(to chan<- *prometheus.Desc) {
	for _, one := range []*prometheus.Desc{p.connections, p.most, p.waits, p.waited} {
		to <- one
	}
}

// Collect reads the pool (prometheus.Collector).
func (p *pool) Collect(to chan<- prometheus.Metric) {
	s := p.stats()
	gauge, counter := prometheus.GaugeValue, prometheus.CounterValue
	to <- prometheus.MustNewConstMetric(p.connections, gauge, float64(s.InUse), "in-use")
	to <- prometheus.MustNewConstMetric(p.connections, gauge, float64(s.Idle), "idle")
	to <- prometheus.MustNewConstMetric(p.most, gauge, float64(s.MaxOpenConnections))
	to <- prometheus.MustNewConstMetric(p.waits, counter, float64(s.WaitCount))
	to <- prometheus.MustNewConstMetric(p.waited, counter, s.WaitDuration.Seconds())
}
