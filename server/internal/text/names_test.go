package text

import (
	"strings"
	"testing"
)

// Fault B3: usernames of scripts whose letters have marks, and joiners where
// script or emoji needs them; direction overrides stay refused.
func TestNames(t *testing.T) {
	tests := map[string]struct {
		name             string
		device, username bool
	}{
		"ASCII":                              {"Chrome.test_6-a", true, true},
		"Hindi":                              {"हिन्दी", true, true},
		"Thai":                               {"ภาษาไทย", true, true},
		"Thai, tones":                        {"น้ำ", true, true},
		"Tamil":                              {"தமிழ்", true, true},
		"Bengali":                            {"বাংলা", true, true},
		"Bengali with a joiner":              {"র\u200d\u09cdয\u09beম", true, true},
		"Arabic with vowels":                 {"مُحَمَّد", true, true},
		"Hebrew with points":                 {"שָׁלוֹם", true, true},
		"Persian with a non-joiner":          {"می\u200cخواهم", true, true},
		"Persian, a non-joiner after a mark": {"مِ\u200cا", true, true},
		"Sinhala with a joiner":              {"ශ\u0dca\u200dරී", true, true},
		"Malayalam, joiner at the end":       {"അവന\u0d4d\u200d", true, true},
		"Korean, decomposed":                 {"\u1112\u1161\u11ab글", true, true},
		"Vietnamese, decomposed":             {"Nguye\u0302\u0303n", true, true},
		"digits of another script":           {"१२३", true, true},
		"mark after an underscore":           {"a_\u0301b", true, false},
		"mark first":                         {"\u0301b", true, false},
		"a space":                            {"my phone", true, false},
		"emoji":                              {"phone 📱", true, false},
		"emoji with joiners":                 {"👩\U0001f3fd\u200d💻 👨\u200d👩\u200d👧 ❤\ufe0f\u200d🔥 🙂\u200d↔\ufe0f", true, false},
		"a flag":                             {"🇩🇪", true, false},
		"a keycap":                           {"1\ufe0f\u20e3", true, false},
		"joiner between Latin letters":       {"pay\u200dpal", false, false},
		"joiner first":                       {"\u200dन", false, false},
		"joiner last after Latin":            {"a\u200c", false, false},
		"two joiners":                        {"می\u200c\u200cخ", false, false},
		"joiner after an emoji":              {"👩\u200d", false, false},
		"right-to-left override":             {"pho\u202ene", false, false},
		"isolate":                            {"pho\u2066ne", false, false},
		"right-to-left mark":                 {"pho\u200fne", false, false},
		"Arabic letter mark":                 {"pho\u061cne", false, false},
		"zero width space":                   {"pho\u200bne", false, false},
		"soft hyphen":                        {"pho\u00adne", false, false},
		"byte order mark":                    {"pho\ufeffne", false, false},
		"invisible letter":                   {"\u3164", false, false},
		"grapheme joiner":                    {"a\u034fb", false, false},
		"selector alone":                     {"\ufe0f", false, false},
		"tag characters":                     {"a\U000e0061", false, false},
		"new line":                           {"pho\nne", false, false},
		"private use":                        {"\ue000", false, false},
		"replacement":                        {"a\ufffd", false, false},
		"no UTF-8":                           {"a\xff", false, false},
		"NUL":                                {"a\x00", false, false},
		"nothing":                            {"", false, false},
		"spaces":                             {" \u00a0\t", false, false},
		"64":                                 {strings.Repeat("e\u0301", 64), true, true},
		"65":                                 {strings.Repeat("é", 65), false, false},
	}
	for what, tt := range tests {
		if got, err := DeviceName("name", tt.name); (err == nil) != tt.device {
			t.Errorf("%s: DeviceName(%+q) = %+q, %v", what, tt.name, got, err)
		}
		if got, err := Username(tt.name); (err == nil) != tt.username {
			t.Errorf("%s: Username(%+q) = %+q, %v", what, tt.name, got, err)
		}
	}
}

// Fault B5: space around a name is not part of it.
func TestTrimmed(t *testing.T) {
	for _, s := range []string{"phone ", " phone", "\tphone\u00a0", "phone\u3000\n"} {
		if got, err := DeviceName("name", s); got != "phone" || err != nil {
			t.Errorf("DeviceName(%+q) = %q, %v", s, got, err)
		}
		if got, err := Username(s); got != "phone" || err != nil {
			t.Errorf("Username(%+q) = %q, %v", s, got, err)
		}
	}
	if got, err := DeviceName("name", "my\u00a0  phone"); got != "my phone" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
