package api_test

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// attack is a request, byte for byte, and the status it must get.
type attack struct {
	name    string
	request string
	status  int
}

// target is what attacks are aimed at: a device that is signed in, and what a
// stranger has, who attacks.
type target struct {
	*world
	one, two, stranger *client
}

// request writes a request of HTTP/1.1; headers are whole lines.
func request(method, path, body string, headers ...string) string {
	head := append([]string{method + " " + path + " HTTP/1.1", "Host: localhost", "Connection: close"}, headers...)
	if body != "" {
		head = append(head, fmt.Sprint("Content-Length: ", len(body)))
	}
	return strings.Join(head, "\r\n") + "\r\n\r\n" + body
}

const jsonType = "Content-Type: application/json"

func bearer(token string) string { return "Authorization: Bearer " + token }

// send writes a request on a connection of its own and returns the status.
func (w *world) send(t *testing.T, request string) (status int, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(conn, request) }() // it may be refused before its end
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body) // a refusal may cut the connection
	return answer.StatusCode, string(text)
}

// jwt signs a token as a forger would, who may even know a key.
func jwt(header, claims, key string, algorithm func() hash.Hash) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	mac := hmac.New(algorithm, []byte(key))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// forged are access tokens that are none. The key is the server's own: what is
// wrong with each is something else.
func (x *target) forged(t *testing.T) map[string]string {
	t.Helper()
	const key = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
	parts := strings.Split(x.one.token, ".")
	decode := func(part string) string {
		text, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	header, claims := decode(parts[0]), decode(parts[1])
	if got := jwt(header, claims, key, sha256.New); got != x.one.token {
		t.Fatalf("the forger cannot even sign what is good: %s, %s", got, x.one.token)
	}
	all := map[string]string{
		"empty": "", "a dot": ".", "two dots": "..", "no signature": parts[0] + "." + parts[1] + ".",
		"two parts": parts[0] + "." + parts[1], "four parts": x.one.token + ".x", "a thousand dots": strings.Repeat(".", 1000),
		"five KiB": strings.Repeat("x", 5<<10), "not base64": "!!!.???.***", "padded": x.one.token + "=",
		"a changed signature": x.one.token[:len(x.one.token)-2] + "AA", "a space within": parts[0] + " ." + parts[1] + "." + parts[2],
		"another spelling": respelt(x.one.token),
		"another's body":   parts[0] + "." + strings.Split(x.stranger.token, ".")[1] + "." + parts[2],
		"HS384":            jwt(strings.Replace(header, "HS256", "HS384", 1), claims, key, sha512.New384),
		"HS512":            jwt(strings.Replace(header, "HS256", "HS512", 1), claims, key, sha512.New),
		"an empty key":     jwt(header, claims, "", sha256.New),
		"another key":      jwt(header, claims, strings.Repeat("x", 32), sha256.New),
		"no kid":           jwt(`{"alg":"HS256","typ":"JWT"}`, claims, key, sha256.New),
		"claims not JSON":  jwt(header, "claims", key, sha256.New),
		"claims an array":  jwt(header, "[]", key, sha256.New),
		"header not JSON":  jwt("header", claims, key, sha256.New),
		"a refresh use":    jwt(header, strings.Replace(claims, `"access"`, `"refresh"`, 1), key, sha256.New),
		"the stranger's":   jwt(header, strings.Replace(claims, x.one.id, x.stranger.id, 1), key, sha256.New),
		"a device of none": jwt(header, strings.Replace(claims, x.one.id, "d_none", 1), key, sha256.New),
	}
	for _, alg := range []string{"none", "None", "NONE", "nOnE", "RS256", "ES256", "PS256", "EdDSA", "", "HS256 "} {
		all["alg "+alg] = jwt(strings.Replace(header, "HS256", alg, 1), claims, key, sha256.New)
		all["alg "+alg+", unsigned"] = strings.TrimSuffix(jwt(strings.Replace(header, "HS256", alg, 1), claims, key, sha256.New), parts[2])
	}
	for _, extra := range []string{
		`"jwk":{"kty":"oct","k":"eA"}`, `"jku":"http://127.0.0.1/keys"`, `"x5u":"http://127.0.0.1/c"`, `"x5c":["x"]`, `"crit":["exp"]`, `"zip":"DEF"`, `"b64":false`,
	} {
		all["header "+extra] = jwt(strings.TrimSuffix(header, "}")+","+extra+"}", claims, key, sha256.New)
	}
	for _, kid := range []string{"../../etc/passwd", "' OR 1=1 --", "", "0", strings.Repeat("k", 2000)} {
		all["kid "+kid[:min(9, len(kid))]] = jwt(fmt.Sprintf(`{"alg":"HS256","kid":%q,"typ":"JWT"}`, kid), claims, key, sha256.New)
	}
	for _, claim := range []string{"iss", "aud", "sub", "sid", "jti", "exp", "use"} {
		all["without "+claim] = jwt(header, strings.Replace(claims, `"`+claim+`"`, `"x"`, 1), key, sha256.New)
	}
	for _, exp := range []string{"-1", "1e999", `"99999999999"`, "null", "9223372036854775808", "1.5e300"} {
		all["exp "+exp] = jwt(header, claims[:strings.Index(claims, `"exp":`)+6]+exp+claims[strings.Index(claims, `,"use"`):], key, sha256.New)
	}
	return all
}

// respelt returns a token with an unused bit of its last letter set: 32 bytes
// leave two (Fault E6).
func respelt(token string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(token) - 1
	return token[:last] + string(letters[strings.IndexByte(letters, token[last])+1])
}

// authAttacks try to get in without being somebody.
func (x *target) authAttacks(t *testing.T) (all []attack) {
	const path = "/api/v1/users"
	for name, token := range x.forged(t) {
		all = append(all, attack{"token: " + name, request("GET", path, "", bearer(token)), 401})
	}
	for name, header := range map[string]string{
		"no header": "X: y", "basic": "Authorization: Basic YTpi", "no scheme": "Authorization: " + x.one.token, "digest": "Authorization: Digest x",
		"two headers": bearer(x.one.token) + "\r\n" + bearer(x.one.token), "a cookie": "Cookie: access=" + x.one.token,
		"another header": "X-Access-Token: " + x.one.token, "the refresh cookie": "Cookie: refresh=" + x.one.token,
		"two tokens": bearer(x.one.token + ", Bearer " + x.one.token), "a proxy's header": "Proxy-Authorization: Bearer " + x.one.token,
	} {
		all = append(all, attack{"auth: " + name, request("GET", path, "", header), 401})
	}
	return append(all,
		attack{"auth: token in the address", request("GET", path+"?access_token="+x.one.token, ""), 401},
		attack{"auth: forged user header", request("GET", path, "", "X-Forwarded-User: anna@example.org", "X-User-Id: "+x.one.id), 401},
		attack{"auth: method override", request("GET", path, "", "X-HTTP-Method-Override: DELETE"), 401},
		attack{"refresh: an access token", request("POST", "/api/v1/refresh", `{"refreshToken":"`+x.one.token+`"}`, jsonType), 401},
		attack{"refresh: of a login that is known", request("POST", "/api/v1/refresh", `{"refreshToken":"l_x.AAAA"}`, jsonType), 401},
		attack{"refresh: SQL", request("POST", "/api/v1/refresh", `{"refreshToken":"' OR 1=1 --.x"}`, jsonType), 401},
		attack{"reset: a guess", request("POST", "/api/v1/reset", `{"code":"AAAA-AAAA-AAAA-AAAA","password":"mule by moonlight"}`, jsonType), 401},
		attack{"reset: SQL", request("POST", "/api/v1/reset", `{"code":"' OR 1=1 --","password":"mule by moonlight"}`, jsonType), 401},
		attack{"login: SQL", request("POST", "/api/v1/login", `{"deviceName":"' OR '1'='1","password":"' OR '1'='1"}`, jsonType), 401},
		attack{"login: a wildcard", request("POST", "/api/v1/login", `{"deviceName":"Chrome%","password":"correct horse"}`, jsonType), 401},
		attack{"login: a password of 60 KiB", request("POST", "/api/v1/login", `{"deviceName":"x","password":"`+strings.Repeat("x", 60<<10)+`"}`, jsonType), 401},
		attack{"login: a NUL in the name", request("POST", "/api/v1/login", `{"deviceName":"Chrome.test6\u0000","password":"correct horse"}`, jsonType), 401},
	)
}

// jsonAttacks send what is no JSON, or not the JSON that is expected (SEC-32).
func (x *target) jsonAttacks() (all []attack) {
	for name, tt := range map[string]struct {
		body   string
		status int
	}{
		"none":                        {"", 400},
		"not JSON":                    {"deviceName=x", 400},
		"an array":                    {"[]", 400},
		"a number":                    {"1", 400},
		"a string":                    {`"x"`, 400},
		"two values":                  {`{}{}`, 400},
		"garbage behind":              {`{"deviceName":"x","password":"y"}x`, 400},
		"not closed":                  {`{"deviceName":"x"`, 400},
		"a comma too many":            {`{"deviceName":"x",}`, 400},
		"single quotes":               {`{'deviceName':'x'}`, 400},
		"a comment":                   {`{/**/"deviceName":"x"}`, 400},
		"a byte order mark":           {"\ufeff" + `{"deviceName":"x","password":"y"}`, 400},
		"UTF-16":                      {"\xff\xfe{\x00}\x00", 400},
		"a name twice":                {`{"deviceName":"x","deviceName":"y","password":"z"}`, 400},
		"a name twice, escaped":       {`{"deviceName":"x","device\u004eame":"y","password":"z"}`, 400},
		"a name in another case":      {`{"DeviceName":"x","password":"y"}`, 400},
		"a name in full width":        {`{"ｄeviceName":"x","password":"y"}`, 400},
		"a name that is unknown":      {`{"deviceName":"x","password":"y","admin":true}`, 400},
		"__proto__":                   {`{"deviceName":"x","password":"y","__proto__":{"admin":true}}`, 400},
		"a number for a text":         {`{"deviceName":1,"password":"y"}`, 400},
		"an object for a text":        {`{"deviceName":{"$ne":""},"password":{"$ne":""}}`, 400},
		"an array for a text":         {`{"deviceName":["x"],"password":"y"}`, 400},
		"NaN":                         {`{"deviceName":NaN}`, 400},
		"a bad escape":                {`{"deviceName":"\x41","password":"y"}`, 400},
		"a lone high surrogate":       {`{"deviceName":"\ud800","password":"y"}`, 400},
		"a lone low surrogate":        {`{"deviceName":"\udc00","password":"y"}`, 400},
		"surrogates in wrong order":   {`{"deviceName":"\udc00\ud800","password":"y"}`, 400},
		"bad UTF-8":                   {"{\"deviceName\":\"\xff\",\"password\":\"y\"}", 400},
		"an overlong NUL":             {"{\"deviceName\":\"\xc0\x80\",\"password\":\"y\"}", 400},
		"a control character":         {"{\"deviceName\":\"\x01\",\"password\":\"y\"}", 400},
		"ten thousand levels":         {strings.Repeat("[", 10_000), 400},
		"ten thousand levels, in one": {`{"deviceName":` + strings.Repeat(`{"a":`, 5_000), 400},
		"70 KiB":                      {`{"deviceName":"` + strings.Repeat("x", 70<<10) + `"}`, 413},
	} {
		all = append(all, attack{"JSON: " + name, request("POST", "/api/v1/login", tt.body, jsonType), tt.status})
	}
	for name, header := range map[string]string{
		"no type": "X: y", "text": "Content-Type: text/plain", "a form": "Content-Type: application/x-www-form-urlencoded",
		"multipart": "Content-Type: multipart/form-data; boundary=x", "a list": "Content-Type: application/json, text/plain",
		"broken": "Content-Type: application/json; charset", "JSON's cousin": "Content-Type: application/jsonp",
	} {
		all = append(all, attack{"type: " + name, request("POST", "/api/v1/login", `{"deviceName":"x","password":"y"}`, header), 415})
	}
	return append(all, attack{"JSON: compressed", request("POST", "/api/v1/login", "\x1f\x8b\x08\x00", jsonType, "Content-Encoding: gzip"), 400})
}
