package web

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
)

func source(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// directive returns one directive of a policy, without its name.
func directive(policy, name string) string {
	for _, one := range strings.Split(policy, "; ") {
		if value, ok := strings.CutPrefix(one, name+" "); ok {
			return value
		}
	}
	return ""
}

func TestPolicyListsInlineScripts(t *testing.T) {
	tests := map[string]struct{ page, scripts string }{
		"none":                    {"<p>text</p>", ""},
		"one":                     {"<script>a()</script>", source("a()")},
		"with attributes":         {`<script id="x" async>a()</script>`, source("a()")},
		"upper case":              {"<SCRIPT>a()</SCRIPT>", source("a()")},
		"every byte counts":       {"<script>\n a() \n</script>", source("\n a() \n")},
		"two, in their order":     {"<script>a()</script><script>b()</script>", source("a()") + " " + source("b()")},
		"the same twice":          {"<script>a()</script><script>a()</script>", source("a()")},
		"by address":              {`<script src="/a.js"></script>`, ""},
		"by address, spelt oddly": {`<script defer SRC = "/a.js">ignored()</script>`, ""},
		"address in its text":     {`<script>let src="x"</script>`, source(`let src="x"`)},
		"data-src is no address":  {`<script data-src="x">a()</script>`, source("a()")},
		"empty":                   {"<script></script>", ""},
		"end tag with a space":    {"<script>a()</script >", source("a()")},
		"less-than in its text":   {"<script>if(1<2)a()</script>", source("if(1<2)a()")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := strings.TrimSpace("'self' " + tt.scripts)
			if got := directive(pagePolicy([]byte(tt.page)), "script-src"); got != want {
				t.Errorf("script-src %q, want %q", got, want)
			}
		})
	}
}

func TestPolicyOfServedPage(t *testing.T) {
	site := open(t, export())
	login := ask(site, http.MethodGet, "/login").Header.Get("Content-Security-Policy")
	home := ask(site, http.MethodGet, "/").Header.Get("Content-Security-Policy")
	if got, want := directive(login, "script-src"), "'self' "+source(loginScript); got != want {
		t.Errorf("script-src of the page with a script is %q, want %q", got, want)
	}
	if got := directive(home, "script-src"); got != "'self'" {
		t.Errorf("script-src of the page without is %q, want 'self'", got)
	}
	for _, policy := range []string{login, home} {
		if strings.Contains(policy, source("alert(1)")) || strings.Contains(directive(policy, "script-src"), "unsafe") {
			t.Errorf("%q lets an injected script run", policy)
		}
		if directive(policy, "connect-src") != "'self'" || directive(policy, "form-action") != "'self'" {
			t.Errorf("%q lets data out", policy)
		}
	}
}

func TestPolicyForStyles(t *testing.T) {
	tests := map[string]struct{ page, elements, attributes string }{
		"none":            {"<p>text</p>", "'self'", ""},
		"an element":      {"<style>p{}</style>", "'self' " + source("p{}"), ""},
		"an attribute":    {`<p style="color:red">`, "'self'", "'unsafe-inline'"},
		"in a script":     {`<script>'<p style="x">'</script>`, "'self'", ""},
		"data-style":      {`<p data-style="x">`, "'self'", ""},
		"styled by class": {`<p class="style">`, "'self'", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			policy := pagePolicy([]byte(tt.page))
			if got := directive(policy, "style-src"); got != tt.elements {
				t.Errorf("style-src %q, want %q", got, tt.elements)
			}
			if got := directive(policy, "style-src-attr"); got != tt.attributes {
				t.Errorf("style-src-attr %q, want %q", got, tt.attributes)
			}
		})
	}
}
