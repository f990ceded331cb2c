// Package report keeps the figures of a benchmark, and writes them for people.
package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// Name says what a figure is of: of which scenario, of whom, and what.
type Name struct{ Scenario, Subject, Figure string }

// Book holds every figure, in the order in which they were first measured.
type Book struct {
	Out io.Writer // told each figure as it comes

	names  []Name
	values map[Name][]float64
	bound  map[Name]bool // the load was what held it up
	notes  []string
}

// NewBook returns an empty book.
func NewBook(out io.Writer) *Book {
	return &Book{Out: out, values: make(map[Name][]float64), bound: make(map[Name]bool)}
}

// Busy is the share of its core from which on a figure is the load's own.
const Busy = 0.9

// Add notes one value. tool is how busy the load's core was meanwhile, 0 to 1.
func (b *Book) Add(n Name, value, tool float64) {
	if b.values[n] == nil {
		b.names = append(b.names, n)
	}
	b.values[n] = append(b.values[n], value)
	mark := ""
	if tool >= Busy {
		b.bound[n], mark = true, "  (the load's core was busy)"
	}
	fmt.Fprintf(b.Out, "  %-14s %-22s %-44s %12s%s\n", n.Scenario, n.Subject, n.Figure, Number(value), mark)
}

// Note adds a sentence for the reader.
func (b *Book) Note(format string, args ...any) {
	note := fmt.Sprintf(format, args...)
	if !slices.Contains(b.notes, note) {
		b.notes = append(b.notes, note)
		fmt.Fprintln(b.Out, "  "+note)
	}
}

// Median returns the median of a figure, and whether there is one.
func (b *Book) Median(n Name) (float64, bool) {
	values := b.values[n]
	if len(values) == 0 {
		return math.NaN(), false
	}
	return median(values), true
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	at := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[at]
	}
	return (sorted[at-1] + sorted[at]) / 2
}

// Number writes a figure with three digits that mean something.
func Number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "-"
	case v == math.Trunc(v) && math.Abs(v) < 1000 || math.Abs(v) >= 100:
		return thousands(math.Round(v))
	case math.Abs(v) >= 10:
		return fmt.Sprintf("%.1f", v)
	case math.Abs(v) >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

func thousands(v float64) string {
	text := fmt.Sprintf("%.0f", v)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// Tables writes every figure as Markdown, a table for each scenario. titles are
// what the scenarios are called, in the order in which they are shown.
func (b *Book) Tables(titles []Title) string {
	var out strings.Builder
	for _, title := range titles {
		rows := slices.DeleteFunc(slices.Clone(b.names), func(n Name) bool { return n.Scenario != title.Scenario })
		if len(rows) == 0 {
			continue
		}
		fmt.Fprintf(&out, "\n## %s\n\n%s\n\n| figure | of | median | lowest to highest | n |\n|---|---|---|---|---|\n", title.Headline, title.Text)
		slices.SortStableFunc(rows, func(x, y Name) int {
			return b.first(rows, x.Figure) - b.first(rows, y.Figure)
		})
		for _, n := range rows {
			values := b.values[n]
			mark := ""
			if b.bound[n] {
				mark = " †"
			}
			fmt.Fprintf(&out, "| %s | %s | %s%s | %s to %s | %d |\n", n.Figure, n.Subject, Number(median(values)), mark,
				Number(slices.Min(values)), Number(slices.Max(values)), len(values))
		}
	}
	return out.String()
}

// first is where a figure's first row is, so that its rows stand together.
func (b *Book) first(rows []Name, figure string) int {
	return slices.IndexFunc(rows, func(n Name) bool { return n.Figure == figure })
}

// Title is the headline of a scenario, and what is done in it.
type Title struct{ Scenario, Headline, Text string }

// Notes returns the sentences for the reader.
func (b *Book) Notes() []string { return b.notes }
