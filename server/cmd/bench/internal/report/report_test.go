package report

import (
	"io"
	"math"
	"strings"
	"testing"
)

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 3: "3", 999: "999", 1000: "1,000", 1234567: "1,234,567", 123.4: "123", 12.34: "12.3", 1.234: "1.23",
		0.1234: "0.123", -1234: "-1,234", -2: "-2", math.NaN(): "-",
	} {
		if got := Number(v); got != want {
			t.Errorf("Number(%v) = %s, want %s", v, got, want)
		}
	}
}

func TestMedian(t *testing.T) {
	b := NewBook(io.Discard)
	n := Name{"s", "server", "f"}
	if _, ok := b.Median(n); ok {
		t.Error("a figure that nobody measured has a median")
	}
	for _, v := range []float64{9, 1, 4} {
		b.Add(n, v, 0)
	}
	if got, ok := b.Median(n); !ok || got != 4 {
		t.Errorf("the median is %v", got)
	}
	b.Add(n, 5, 0)
	if got, _ := b.Median(n); got != 4.5 {
		t.Errorf("of four it is %v", got)
	}
}

// A verdict is by the ratio to the floor of the same run, or by the figure itself.
func TestVerdicts(t *testing.T) {
	b := NewBook(io.Discard)
	server, floor := Name{"s", "server", "f"}, Name{"s", "floor (b)", "f"}
	b.Add(server, 12, 0)
	b.Add(floor, 10, 0)
	for want, target := range map[string]Target{
		"| a | 1.20 × floor (b) | ≤ 1.50 × floor (b) | ≤ 1.20 × floor (b) | stretch |": {Text: "a", Of: server, Beside: floor, Target: 1.5, Stretch: 1.2},
		"| b | 1.20 × floor (b) | ≤ 1.20 × floor (b) | ≤ 1.10 × floor (b) | met |":     {Text: "b", Of: server, Beside: floor, Target: 1.2, Stretch: 1.1},
		"| c | 12 ms | ≤ 11 ms | ≤ 10 ms | **missed** |":                               {Text: "c", Of: server, Target: 11, Stretch: 10, Unit: "ms"},
		"| d | 1.20 × floor (b) | ≥ 1 × floor (b) | ≥ 1.50 × floor (b) | met |":        {Text: "d", Of: server, Beside: floor, Target: 1, Stretch: 1.5, AtLeast: true},
		"| e | not measured | ≤ 1 | ≤ 1 |  |":                                          {Text: "e", Of: Name{"s", "server", "g"}, Target: 1, Stretch: 1},
	} {
		if got := b.Verdicts([]Target{target}); !strings.HasSuffix(got, want+"\n") {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
}

// A figure that the load itself held up is marked, on the screen and in the table.
func TestBusyLoadIsMarked(t *testing.T) {
	var out strings.Builder
	b := NewBook(&out)
	b.Add(Name{"s", "server", "rate"}, 5, 0.95)
	b.Add(Name{"s", "server", "calm"}, 5, 0.5)
	table := b.Tables([]Title{{"s", "S", "text"}})
	if !strings.Contains(table, "| rate | server | 5 † |") || !strings.Contains(table, "| calm | server | 5 |") || strings.Count(out.String(), "core was busy") != 1 {
		t.Errorf("%s\n%s", table, out.String())
	}
}
