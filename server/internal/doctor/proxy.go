package doctor

import "strings"

// need is what a proxy before the server has to do, and the lines that make
// nginx, Caddy and Traefik do it.
type need struct {
	nginx   []string // in its location
	caddy   []string // in its site
	traefik []string // in its configuration, as YAML
}

// advice returns the lines.
func (n need) advice() string {
	return "nginx, in the location that passes requests on:\n  " + strings.Join(n.nginx, "\n  ") +
		"\nCaddy, in the site:\n  " + strings.Join(n.caddy, "\n  ") +
		"\nTraefik:\n  " + strings.Join(n.traefik, "\n  ")
}

// What Caddy and Traefik do by themselves: anything more in the site, or on the
// router, undoes it.
var (
	caddyDoes   = []string{"reverse_proxy HOST:PORT   # and no more: it does this by itself"}
	traefikDoes = []string{"# it does this by itself: no headers middleware on the router, no passHostHeader: false"}
)

// What is needed. server/deploy/nginx.conf has all of it.
var (
	needUpgrade = need{
		nginx: []string{
			"proxy_http_version 1.1;",
			"proxy_set_header Upgrade $http_upgrade;",
			"proxy_set_header Connection $connection_upgrade;",
			`# and in http: map $http_upgrade $connection_upgrade { default upgrade; "" ""; }`,
		},
		caddy:   caddyDoes,
		traefik: traefikDoes,
	}
	needNoBuffer = need{
		nginx: []string{"proxy_buffering off;", "# and no proxy_ignore_headers X-Accel-Buffering, no gzip of text/event-stream"},
		caddy: []string{
			"@whole not path */events",
			"encode @whole gzip zstd   # if there is an encode: it holds streams back",
			"reverse_proxy HOST:PORT {",
			"  flush_interval -1",
			"}",
		},
		traefik: []string{
			"# no buffering middleware on the router; and if there is one that compresses:",
			"compress: { excludedContentTypes: [text/event-stream] }",
		},
	}
	needPatience = need{
		nginx:   []string{"proxy_read_timeout 75s;"},
		caddy:   []string{"reverse_proxy HOST:PORT {", "  transport http {", "    response_header_timeout 75s", "  }", "}"},
		traefik: []string{"entryPoints: { NAME: { transport: { respondingTimeouts: { readTimeout: 0 } } } }   # 60s by default"},
	}
	needHost = need{
		nginx:   []string{"proxy_set_header Host $http_host;"},
		caddy:   caddyDoes,
		traefik: traefikDoes,
	}
	needForwarded = need{
		nginx: []string{
			"proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
			"proxy_set_header X-Forwarded-Proto $scheme;",
		},
		caddy: caddyDoes,
		traefik: []string{
			"# it does this by itself; with another proxy before it:",
			"entryPoints: { NAME: { forwardedHeaders: { trustedIPs: [THAT PROXY] } } }",
		},
	}
	needETag = need{
		nginx:   []string{"gzip off;   # the server compresses its pages itself; or no application/json in gzip_types"},
		caddy:   []string{"# no encode: the server compresses its pages itself"},
		traefik: []string{"# no compress middleware on the router: the server compresses its pages itself"},
	}
	needRoot = need{
		nginx:   []string{"# location / of a server_name of its own, and in it:", "proxy_pass http://HOST:PORT;   # with no path after the port"},
		caddy:   []string{"sync.example.org {", "  reverse_proxy HOST:PORT   # and no handle_path, no uri strip_prefix", "}"},
		traefik: []string{"rule: Host(`sync.example.org`)   # and no PathPrefix, no stripPrefix middleware"},
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
