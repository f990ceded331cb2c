package doctor

import "strings"

// need is what a proxy before the server has to do, and the lines that make
// nginx and Caddy do it.
type need struct {
	nginx []string // in its location
	caddy []string // in its site
}

// advice says the lines.
func (n need) advice() string {
	return "nginx, in the location that passes requests on:\n  " + strings.Join(n.nginx, "\n  ") +
		"\nCaddy, in the site:\n  " + strings.Join(n.caddy, "\n  ")
}

// caddyDoes is what Caddy does by itself: anything more in its site undoes it.
var caddyDoes = []string{"reverse_proxy HOST:PORT   # and no more: it does this by itself"}

// What is needed. server/deploy/nginx.conf has all of it.
var (
	needUpgrade = need{
		nginx: []string{
			"proxy_http_version 1.1;",
			"proxy_set_header Upgrade $http_upgrade;",
			"proxy_set_header Connection $connection_upgrade;",
			`# and in http: map $http_upgrade $connection_upgrade { default upgrade; "" ""; }`,
		},
		caddy: caddyDoes,
	}
	needNoBuffer = need{
		nginx: []string{"proxy_buffering off;", "# and no proxy_ignore_headers X-Accel-Buffering, no gzip of text/event-stream"},
		caddy: []string{"reverse_proxy HOST:PORT {", "  flush_interval -1", "}", "# and no encode of text/event-stream"},
	}
	needPatience = need{
		nginx: []string{"proxy_read_timeout 75s;"},
		caddy: []string{"reverse_proxy HOST:PORT {", "  transport http {", "    response_header_timeout 75s", "  }", "}"},
	}
	needHost = need{
		nginx: []string{"proxy_set_header Host $http_host;"},
		caddy: caddyDoes,
	}
	needForwarded = need{
		nginx: []string{
			"proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
			"proxy_set_header X-Forwarded-Proto $scheme;",
		},
		caddy: caddyDoes,
	}
)

// NginxLines are the directives that advice may name for the location. The one
// for X-Forwarded-Proto is left out: what it is depends on where TLS ends.
func NginxLines() []string {
	var all []string
	for _, n := range []need{needUpgrade, needNoBuffer, needPatience, needHost, needForwarded} {
		for _, line := range n.nginx {
			if !strings.HasPrefix(line, "#") && !strings.Contains(line, "$scheme") {
				all = append(all, line)
			}
		}
	}
	return all
}
