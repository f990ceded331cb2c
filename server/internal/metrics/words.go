package metrics

import "github.com/prometheus/client_golang/prometheus"

// other counts what has no word of its own, so that a set of labels stays
// closed whatever callers say.
const other = "other"

// words is a counter with one label whose values are known beforehand. All of
// them are shown from the start, since a rate needs a zero to rise from.
type words struct {
	total *prometheus.CounterVec
	each  map[string]prometheus.Counter // read only
}

func newWords(name, help, label string, all ...string) words {
	w := words{
		total: prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label}),
		each:  map[string]prometheus.Counter{},
	}
	for _, one := range append(all, other) {
		w.each[one] = w.total.WithLabelValues(one)
	}
	return w
}

func (w words) count(word string) {
	c, known := w.each[word]
	if !known {
		c = w.each[other]
	}
	c.Inc()
}
