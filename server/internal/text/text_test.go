package text

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// typed draws text as people and attackers type it: letters of many scripts,
// marks, joiners, spaces, dashes, emoji and whatever else Unicode has.
func typed() *rapid.Generator[string] {
	odd := []rune("aAeEiIİıßẞſKkΣσςéÉ\u0301\u0308\u030a\u0327\u0345ñÅ\u212b\u212a\u2126 \u00a0\u2000\u2009\u3000\t\n" +
		"-\u2010\u2013\u2014\u2212\uff0d._@０４２\u200c\u200d\ufe0f\ufe0e\u202e\u2066\u00ad\u034f\u3164\ufeff" +
		"क\u0915\u093c\u094d\u0958ন\u09bf\u09cdก\u0e33ம\u0bcdب\u064e\u0651한\u1112\u1161\u11ab👩\U0001f3fd💻ǅ\u0130\u1e9e\u1f80\u1fbc\ufb01\ud7ff\ufffd")
	return rapid.StringOf(rapid.OneOf(rapid.SampledFrom(odd), rapid.Rune()))
}

// Fault B2: text is normalised once and for all, and all spellings of a text
// are the same for every function that compares.
func TestNormalisedOnce(t *testing.T) {
	functions := map[string]func(string) string{
		"Trim": Trim, "Name": Name, "Key": Key, "Password": Password, "Code": Code, "EmailKey": EmailKey,
	}
	for name, f := range functions {
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			s := typed().Draw(t, "s")
			once := f(s)
			if again := f(once); again != once {
				t.Fatalf("%s(%+q) = %+q, and of that %+q", name, s, once, again)
			}
			if name == "Trim" {
				return
			}
			for _, form := range []norm.Form{norm.NFC, norm.NFD} {
				if got := f(form.String(s)); got != once {
					t.Fatalf("%s of another spelling of %+q = %+q, want %+q", name, s, got, once)
				}
			}
		}))
	}
}

// Fault B2: what is stored is found by what was typed, with space around it and
// in any case, and it is accepted again as it is.
func TestStoredIsFound(t *testing.T) {
	checks := map[string]struct {
		check func(string) (string, error)
		key   func(string) string
	}{
		"device name": {func(s string) (string, error) { return DeviceName("name", s) }, Key},
		"username":    {Username, Key},
		"e-mail":      {func(s string) (string, error) { return Email(s + "@bücher.example") }, func(s string) string { return EmailKey(s) }},
	}
	for name, c := range checks {
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			s := typed().Draw(t, "s")
			stored, err := c.check(s)
			if err != nil {
				return
			}
			typed := s
			if name == "e-mail" {
				typed += "@BU\u0308CHER.example"
			}
			if c.key(" "+typed+"\u00a0") != c.key(stored) || c.key(strings.ToLower(stored)) != c.key(stored) {
				t.Fatalf("%+q is stored as %+q and not found by it", typed, stored)
			}
			if name != "e-mail" {
				if again, err := c.check(stored); err != nil || again != stored {
					t.Fatalf("%+q is stored as %+q, and that as %+q, %v", s, stored, again, err)
				}
			}
			if strings.ContainsFunc(stored, func(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) }) {
				t.Fatalf("%+q is accepted", stored)
			}
		}))
	}
}

// The rule of case is idempotent for every character.
func TestCaseOfEveryCharacter(t *testing.T) {
	for r := rune(1); r <= unicode.MaxRune; r++ {
		s := string(r)
		if once := lower(s); lower(once) != once {
			t.Errorf("lower(%+q) = %+q, and of that %+q", s, once, lower(once))
		}
	}
}

func TestKeys(t *testing.T) {
	same := [][]string{
		{"é", "e\u0301", "É", " E\u0301 ", "\u00a0é\t"},
		{"My Laptop", "my\u00a0laptop", "my   laptop", "MY\u3000LAPTOP "},
		{"Änne", "änne", "a\u0308nne"},
		{"می\u200cخواهم", "میخواهم"},
		{"❤\ufe0f", "❤"},
		{"\u212bngström", "ångström", "a\u030angstro\u0308m"},
		{"क\u093cलम", "\u0958लम"},
	}
	seen := map[string]string{}
	for _, names := range same {
		for _, name := range names {
			if Key(name) != Key(names[0]) {
				t.Errorf("Key(%+q) = %+q, want that of %+q: %+q", name, Key(name), names[0], Key(names[0]))
			}
		}
		seen[Key(names[0])] = names[0]
	}
	for _, name := range []string{"e", "Anne", "ß", "ss", "mylaptop", "pаypal", "paypal", "ｅ"} {
		if other, taken := seen[Key(name)]; taken {
			t.Errorf("%q and %q are one name", name, other)
		}
		seen[Key(name)] = name
	}
}

func TestEmail(t *testing.T) {
	good := map[string]string{
		" Anna@Example.org\t":        "anna@example.org",
		"anna@bücher.example":        "anna@xn--bcher-kva.example",
		"anna@bu\u0308cher.example":  "anna@xn--bcher-kva.example",
		"ANNA@BÜCHER.EXAMPLE":        "anna@xn--bcher-kva.example",
		"anna@XN--BCHER-KVA.example": "anna@xn--bcher-kva.example",
		"anna@bücher。example":        "anna@xn--bcher-kva.example",
		"ZOE\u0308@example.org":      "zoë@example.org",
		"anna@straße.example":        "anna@xn--strae-oqa.example",
		"anna@localhost":             "anna@localhost",
		"anna@a_b.example":           "anna@a_b.example",
		"उदाहरण@उदाहरण.example":      "उदाहरण@xn--p1b6ci4b4b3a.example",
	}
	for s, want := range good {
		if got, err := Email(s); got != want || err != nil {
			t.Errorf("Email(%+q) = %+q, %v, want %+q", s, got, err, want)
		}
	}
	for _, s := range []string{"", " ", "anna", "anna@", "@example.org", "Anna <anna@example.org>", "a b@example.org", "an\u202ena@example.org",
		"anna@-ü.example", "anna@ü\u2028.example", "anna@ü..example", "anna@" + strings.Repeat("ü", 80) + ".example", strings.Repeat("a", 243) + "@example.org"} {
		if got, err := Email(s); err == nil {
			t.Errorf("Email(%+q) = %+q", s, got)
		}
	}
}

func TestPassword(t *testing.T) {
	for s, want := range map[string]string{
		"caf\u0065\u0301":     "café",
		" a\u00a0b\u3000c ":   " a b c ",
		"\tTab\x00":           "\tTab\x00",
		"Straße K\u212a ﬁ １２": "Straße KK ﬁ １２",
	} {
		if got := Password(s); got != want {
			t.Errorf("Password(%+q) = %+q, want %+q", s, got, want)
		}
	}
}

// Section 5 of the faults: codes with an en dash, a no-break space or a tab.
func TestCode(t *testing.T) {
	for _, s := range []string{
		"BCDF-GHJK", "bcdfghjk", " bcdf ghjk ", "BCDF\u2013GHJK", "BCDF\u2014GHJK", "BCDF\u2212GHJK", "BCDF\u2010GHJK", "BCDF\u2011GHJK",
		"BCDF\u00a0GHJK", "BCDF\tGHJK", "BCDF\u2009GHJK", "BCDF\u202fGHJK", "BCDF\u00adGHJK", "\u200eBCDF\u200bGHJK\ufeff", "ＢＣＤＦ－ＧＨＪＫ", "BCDF\r\nGHJK",
	} {
		if got := Code(s); got != "BCDFGHJK" {
			t.Errorf("Code(%+q) = %+q", s, got)
		}
	}
	if got := Code("４\u30002"); got != "42" {
		t.Errorf("Code = %+q", got)
	}
}

// Fault E7: passwords made of a name.
func TestMadeOf(t *testing.T) {
	for name, passwords := range map[string][]string{
		"laptop":           {"laptop", "LAPTOP", "lAPTOP", "laptoplaptop", "Laptop-Laptop", "laptop2026", "laptop!!!!", "2026 laptop", "lap top 1"},
		"Chrome.test6":     {"chrome.TEST6", "chrometest", "Chrome.test6Chrome.test6", "chrome.test6123456"},
		"anna@example.org": {"Anna@Example.org", "anna@example.org1", "annaexampleorg"},
		"Zoe\u0308":        {"ZOËzoë1!", "zoe\u0308Zoë"},
		"กำลัง":            {"กำลังกำลัง"},
		"pi":               {"pipipipi", "PiPiPiPi"},
		"2024":             {"2024-2024", "20242024"},
		"🦊":                {"🦊🦊🦊🦊🦊🦊🦊🦊"},
	} {
		for _, p := range passwords {
			if !MadeOf(p, name) {
				t.Errorf("%q is not seen to be made of %q", p, name)
			}
		}
	}
	for name, passwords := range map[string][]string{
		"x":      {"        x", "x1234567890"},
		"laptop": {"laptops lie", "my laptop", "12345678901234", "", "laptopp", "tide over marble"},
		"2024":   {"20241231", "2024 anna"},
		"":       {"anything"},
		" - ":    {"anything", "- -"},
	} {
		for _, p := range passwords {
			if MadeOf(p, name) {
				t.Errorf("%q is said to be made of %q", p, name)
			}
		}
	}
}

// Text of the size of a request is looked at before it costs anything: the
// domain of this address took 12 s.
func TestLongText(t *testing.T) {
	var domain strings.Builder
	for i := range 16_000 {
		domain.WriteRune(rune(0x4e00 + i*7919%20_000))
	}
	began := time.Now()
	if key := EmailKey("a@" + domain.String()); key != "" {
		t.Errorf("EmailKey has %d bytes", len(key))
	}
	if _, err := Email("a@" + domain.String()); err == nil {
		t.Error("Email takes it")
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	if key := Key(strings.Repeat("a\u0301", 10_000)); key != "" {
		t.Errorf("Key has %d bytes", len(key))
	}
	longest := strings.Repeat("\u1112\u1161\u11ab", 64) // 64 syllables, as some keyboards type them
	if name, err := DeviceName("name", " "+longest); err != nil || Key(longest) != Key(name) || Key(name) == "" {
		t.Errorf("DeviceName = %q, %v", name, err)
	}
}
