package report

import (
	"fmt"
	"strings"
)

// Target is what a figure should reach: at most so much of itself, or of
// another figure; or at least, for a rate.
type Target struct {
	Text    string  // what is asked for
	Of      Name    // the figure
	Beside  Name    // what it is compared with; the zero value: with nothing
	Scale   float64 // of the figure, to the target's unit; 0 is 1
	Target  float64
	Stretch float64
	AtLeast bool
	Unit    string
}

// Verdicts writes the table of targets as Markdown.
func (b *Book) Verdicts(targets []Target) string {
	var out strings.Builder
	out.WriteString("| figure | reached | target | stretch | |\n|---|---|---|---|---|\n")
	for _, t := range targets {
		reached, ok := b.reached(t)
		sign, unit := "≤", t.Unit
		if t.AtLeast {
			sign = "≥"
		}
		if t.Beside != (Name{}) {
			unit = "× " + t.Beside.Subject
		}
		shown, verdict := "not measured", ""
		if ok {
			shown, verdict = strings.TrimSpace(Number(reached)+" "+unit), t.verdict(reached)
		}
		fmt.Fprintf(&out, "| %s | %s | %s %s | %s %s | %s |\n", t.Text, shown,
			sign, strings.TrimSpace(Number(t.Target)+" "+unit), sign, strings.TrimSpace(Number(t.Stretch)+" "+unit), verdict)
	}
	return out.String()
}

// reached is the figure in the target's unit, or as a ratio.
func (b *Book) reached(t Target) (float64, bool) {
	value, ok := b.Median(t.Of)
	if !ok {
		return 0, false
	}
	if t.Scale != 0 {
		value *= t.Scale
	}
	if t.Beside == (Name{}) {
		return value, true
	}
	beside, ok := b.Median(t.Beside)
	return value / beside, ok && beside != 0
}

func (t Target) verdict(reached float64) string {
	meets := func(limit float64) bool {
		if t.AtLeast {
			return reached >= limit
		}
		return reached <= limit
	}
	switch {
	case meets(t.Stretch):
		return "stretch"
	case meets(t.Target):
		return "met"
	}
	return "**missed**"
}
