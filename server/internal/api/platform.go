package api

import (
	"net/http"
	"strings"
	"unicode"
)

// What a User-Agent has in it, and what people call that. The order matters:
// every browser claims to be some others as well.
var (
	browsers = [][2]string{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"},
		{"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"},
		{"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	}
	systems = [][2]string{
		{"Android", "Android"}, {"iPhone", "iOS"}, {"iPad", "iPadOS"}, {"Windows", "Windows"},
		{"CrOS", "ChromeOS"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"},
	}
)

// maxPlatform bounds a name that we do not know.
const maxPlatform = 32

// platformOf says in a few words what a device runs on, like "Firefox on
// Linux" or "curl". It is a hint for people, and nothing is decided by it.
func platformOf(r *http.Request) string {
	agent := r.UserAgent()
	browser, system := firstIn(agent, browsers), firstIn(agent, systems)
	if browser != "" && system != "" {
		return browser + " on " + system
	}
	name, _, _ := strings.Cut(agent, "/")
	name, _, _ = strings.Cut(name, " ")
	name = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, name)
	if runes := []rune(name); len(runes) > maxPlatform {
		return string(runes[:maxPlatform])
	}
	return name
}

// firstIn returns the name of the first mark that a text has.
func firstIn(text string, marks [][2]string) string {
	for _, mark := range marks {
		if strings.Contains(text, mark[0]) {
			return mark[1]
		}
	}
	return ""
}
