package api_test

import (
	"fmt"
	"strings"
)

// settingAttacks are patches that must change nothing.
func (x *target) settingAttacks() (all []attack) {
	const path = "/api/v1/users/TestUser6/settings"
	patch := func(name, body string, status int, headers ...string) {
		all = append(all, attack{"patch: " + name, request("PATCH", path, body, append([]string{jsonType, bearer(x.one.token)}, headers...)...), status})
	}
	for name, body := range map[string]string{
		"an unknown block": `{"admin":{"on":true}}`, "an unknown key": `{"billing":{"wage":1}}`, "an empty key": `{"billing":{"":1}}`,
		"__proto__": `{"__proto__":{"salary":1}}`, "constructor": `{"billing":{"constructor":1}}`, "another case": `{"Billing":{"salary":1}}`,
		"over the range": `{"billing":{"salary":10001}}`, "below the range": `{"billing":{"salary":-1}}`, "a fraction": `{"billing":{"salary":1.5}}`,
		"beyond all numbers": `{"billing":{"salary":1e999}}`, "a text for a number": `{"billing":{"salary":"1"}}`, "true for a number": `{"billing":{"salary":true}}`,
		"an array for a number": `{"billing":{"salary":[1]}}`, "an object for a number": `{"billing":{"salary":{"$inc":1}}}`,
		"one good, one bad": `{"billing":{"salary":1,"period":99}}`, "no e-mail address": `{"user":{"email":"<img onerror=x>"}}`,
	} {
		patch(name, body, 422)
	}
	for name, body := range map[string]string{
		"an array": `[]`, "a block that is a number": `{"billing":1}`, "a key twice": `{"billing":{"salary":1,"salary":2}}`, "a block twice": `{"billing":{},"billing":{}}`,
		"bad UTF-8": "{\"user\":{\"username\":\"\xff\"}}", "a lone surrogate": `{"user":{"username":"\ud800"}}`, "not closed": `{"billing":{"salary":1}`,
		"40 levels": `{"billing":{"salary":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}}`, "leading zero": `{"billing":{"salary":01}}`, "hex": `{"billing":{"salary":0x1}}`,
	} {
		patch(name, body, 400)
	}
	patch("a text of 9 KiB", `{"user":{"username":"`+strings.Repeat("x", 9<<10)+`"}}`, 413)
	patch("a body of 40 KiB", `{"user":{"username":"`+strings.Repeat("x", 40<<10)+`"}}`, 413)
	patch("a type of another", `{"billing":{"salary":1}}`, 412, `If-Match: "x.1"`)
	patch("a bad id", `{"billing":{"salary":1}}`, 422, "Idempotency-Key: a b")
	patch("an id of 65", `{"billing":{"salary":1}}`, 422, "Idempotency-Key: "+strings.Repeat("x", 65))
	all = append(all,
		attack{"patch: by a stranger", request("PATCH", path, `{"billing":{"salary":1}}`, jsonType, bearer(x.stranger.token)), 404},
		attack{"patch: by nobody", request("PATCH", path, `{"billing":{"salary":1}}`, jsonType), 401},
		attack{"read: by a stranger", request("GET", path, "", bearer(x.stranger.token)), 404},
		attack{"read: since what is no number", request("GET", path+"?since=a.b&wait=1", "", bearer(x.one.token)), 400},
		attack{"read: a wait without end", request("GET", path+"?since=x.1&wait=-1", "", bearer(x.one.token)), 400},
		attack{"stream: by a stranger", request("GET", "/api/v1/users/TestUser6/events", "", bearer(x.stranger.token)), 404},
	)
	return all
}

// pathAttacks look for what is not theirs, or not there.
func (x *target) pathAttacks() (all []attack) {
	me := bearer(x.one.token)
	for _, path := range []string{
		"/api/v1/../../etc/passwd", "/api/v1/%2e%2e/%2e%2e/etc/passwd", "/api/v1/users/..%2f..%2fetc/settings", "/api/v1/users/%00/settings",
		"/api/v1/users/%ff%fe/settings", "/api/v1/users/TestUser6%00/settings", "/api/v1/users/Test%20User6/settings", "/api/v1/users/' OR 1=1/settings",
		"/api/v1/users/%27%20OR%201=1--/settings", "/api/v1/users/" + strings.Repeat("x", 4000) + "/settings", "/api/v1/users//settings",
		"/api/v1//users", "/api/v1/users/", "/api/v1/users;x", "/API/v1/users", "/api/v1/.env", "/api/v1/debug/pprof/", "/api/v1/metrics",
		"/api/v1/devices/" + x.stranger.id, "/api/v1/devices/d_none", "/api/v1/devices/..", "/api/v1/users/TestUser6/settings/billing",
		"/metrics", "/debug/pprof/", "/.env", "/.git/config", "/social.db", "/data/jwt.key", "/api/v2/users",
	} {
		status := 404
		if strings.Contains(path, " ") {
			status = 400 // no request line
		}
		all = append(all, attack{fmt.Sprintf("path: %.40q", path), request("GET", path, "", me), status})
	}
	rename := `{"name":"mine now"}`
	all = append(all,
		attack{"path: rename another's device", request("PATCH", "/api/v1/devices/"+x.stranger.id, rename, jsonType, me), 404},
		attack{"path: revoke another's device", request("DELETE", "/api/v1/devices/"+x.stranger.id, "", me), 422},
		attack{"path: the members of another's user", request("GET", "/api/v1/users/TestUser6/devices", "", bearer(x.stranger.token)), 404},
		attack{"path: leave another's user", request("DELETE", "/api/v1/users/TestUser6/join", "", bearer(x.stranger.token)), 404},
		attack{"name: a line end", request("PATCH", "/api/v1/devices/me", `{"name":"a\r\nSet-Cookie: x"}`, jsonType, me), 422},
		attack{"name: right to left", request("PATCH", "/api/v1/devices/me", `{"name":"a\u202eb"}`, jsonType, me), 422},
		attack{"name: 65 letters", request("PATCH", "/api/v1/devices/me", `{"name":"`+strings.Repeat("x", 65)+`"}`, jsonType, me), 422},
		attack{"name: a slash in a username", request("POST", "/api/v1/users", `{"username":"a/b"}`, jsonType, me), 422},
		attack{"name: dots alone", request("POST", "/api/v1/users", `{"username":".."}`, jsonType, me), 422},
		attack{"name: taken, in another case", request("POST", "/api/v1/users", `{"username":"TESTUSER6"}`, jsonType, me), 409},
	)
	for _, method := range []string{"TRACE", "PUT", "DELETE", "OPTIONS", "get", "PROPFIND", "GETT"} {
		all = append(all, attack{"method: " + method, request(method, "/api/v1/users", "", me), 405})
	}
	return all
}

// headerAttacks are broken or two-faced heads, and pages of other origins.
func (x *target) headerAttacks() (all []attack) {
	login := `{"deviceName":"Chrome.test6","password":"correct horse"}`
	post := func(headers ...string) string {
		return request("POST", "/api/v1/login", login, append([]string{jsonType}, headers...)...)
	}
	for name, origin := range map[string]string{
		"cross-site": "Sec-Fetch-Site: cross-site", "same-site": "Sec-Fetch-Site: same-site", "null": "Origin: null",
		"evil": "Origin: https://evil.example", "a suffix": "Origin: http://localhost.evil.example", "a prefix": "Origin: http://evil-localhost",
		"another port": "Origin: http://localhost:1", "not a URL": "Origin: :::",
	} {
		all = append(all, attack{"origin: " + name, post(origin), 403})
	}
	head := "GET /healthz HTTP/1.1\r\n"
	for name, text := range map[string]string{
		"no host":                 head + "\r\n",
		"two hosts":               head + "Host: a\r\nHost: b\r\n\r\n",
		"a host that is none":     head + "Host: a b\r\n\r\n",
		"a space before a colon":  head + "Host: a\r\nX-A : b\r\n\r\n",
		"a header without a name": head + "Host: a\r\n: b\r\n\r\n",
		"a NUL in a header":       head + "Host: a\r\nX: a\x00b\r\n\r\n",
		"a header with no colon":  head + "Host: a\r\nnonsense\r\n\r\n",
		"a negative length":       "POST /api/v1/login HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
		"a length that is none":   "POST /api/v1/login HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\n",
		"two lengths":             "POST /api/v1/login HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
		"a bad chunk":             "POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + jsonType + "\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"no request line":         "nonsense\r\n\r\n",
		"HTTP/0.9":                "GET /healthz\r\n\r\n",
		"a method with a bracket": "G{T /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
		"a control in the path":   "GET /health\x01z HTTP/1.1\r\nHost: a\r\n\r\n",
	} {
		all = append(all, attack{"head: " + name, text, 400})
	}
	return append(all,
		attack{"head: HTTP/3.0", "GET /healthz HTTP/3.0\r\nHost: a\r\n\r\n", 505},
		attack{"head: an unknown encoding", "POST /api/v1/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
		attack{"head: an unknown expectation", request("GET", "/healthz", "", "Expect: miracles"), 417},
		attack{"head: smuggling", "POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\n" + jsonType + "\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n", 400},
		attack{"head: CONNECT", "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\nConnection: close\r\n\r\n", 421},
		attack{"head: a host of somebody else", "GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 421},
	)
}

// upgradeAttacks ask for a WebSocket in wrong ways.
func (x *target) upgradeAttacks() (all []attack) {
	lines := map[string]string{
		"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
		"Sec-WebSocket-Protocol": "settings-sync.v1",
	}
	const path = "/api/v1/users/TestUser6/ws"
	add := func(name, header, value string, status int, more ...string) {
		text := "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n"
		for h, v := range lines {
			if h == header {
				v = value
			}
			if v != "" {
				text += h + ": " + v + "\r\n"
			}
		}
		all = append(all, attack{"upgrade: " + name, text + strings.Join(append(more, "", ""), "\r\n"), status})
	}
	add("no key", "Sec-WebSocket-Key", "", 400)
	add("no upgrade", "Upgrade", "", 400)
	add("to something else", "Upgrade", "h2c", 400)
	add("no connection", "Connection", "close", 400)
	add("version 8", "Sec-WebSocket-Version", "8", 400)
	add("no version", "Sec-WebSocket-Version", "", 400)
	add("another protocol", "Sec-WebSocket-Protocol", "settings-sync.v9", 400)
	add("a bad token", "", "", 401, bearer("x"))
	add("a stranger's token", "", "", 404, bearer(x.stranger.token))
	for _, origin := range []string{"null", "https://evil.example", "http://localhost.evil.example", "https://localhost", "http://localhost:1", "http://localhost/", "file://", "http://user@localhost"} {
		add("from "+origin, "", "", 403, "Origin: "+origin)
	}
	return append(all, attack{"upgrade: POST", request("POST", path, ""), 405})
}
