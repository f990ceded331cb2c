// Package origin parses web origins and host names into one spelling, so that
// equal ones can be compared with ==.
package origin

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Origin is a web origin (RFC 6454) in its one spelling: lower case, ASCII, and
// always with a port. The zero value is the origin of nothing.
type Origin struct {
	Scheme string // http or https
	Host   string // as Host returns it
	Port   uint16
}

// defaultPorts are the ports that browsers leave out.
var defaultPorts = map[string]uint16{"http": 80, "https": 443}

// errForm is the error of every text that is no origin.
var errForm = errors.New("is not http(s)://host[:port]")

// Parse reads scheme://host[:port] and nothing more, as in an Origin header.
func Parse(text string) (Origin, error) {
	scheme, authority, ok := strings.Cut(text, "://")
	if !ok {
		return Origin{}, errForm
	}
	return Of(strings.ToLower(scheme), authority)
}

// Of returns the origin of a scheme and a Host header.
func Of(scheme, authority string) (Origin, error) {
	usual, ok := defaultPorts[scheme]
	if !ok {
		return Origin{}, errForm
	}
	host, port, err := Split(authority)
	if err != nil {
		return Origin{}, errForm
	}
	if port == 0 {
		port = usual
	}
	return Origin{scheme, host, port}, nil
}

// String returns the origin as browsers write it, without the scheme's own port.
func (o Origin) String() string {
	if o.DefaultPort() {
		return o.Scheme + "://" + o.Host
	}
	return fmt.Sprintf("%s://%s:%d", o.Scheme, o.Host, o.Port)
}

// DefaultPort reports whether the port is the scheme's own.
func (o Origin) DefaultPort() bool { return o.Port == defaultPorts[o.Scheme] }

// Split takes a Host header apart. The port is 0 if there is none.
func Split(authority string) (host string, port uint16, err error) {
	host = authority
	if at := strings.LastIndexByte(authority, ':'); at > strings.LastIndexByte(authority, ']') {
		host = authority[:at]
		if digits := authority[at+1:]; digits != "" {
			number, err := strconv.ParseUint(digits, 10, 16)
			if err != nil || number == 0 {
				return "", 0, errForm
			}
			port = uint16(number)
		}
	}
	host, err = Host(host)
	return host, port, err
}

// Host returns a host name or IP address in its one spelling: a name in lower
// case and ASCII, an IPv6 address in brackets.
func Host(text string) (string, error) {
	if inner, ok := strings.CutPrefix(text, "["); ok {
		address, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		if err != nil || !address.Is6() || address.Zone() != "" || !strings.HasSuffix(inner, "]") {
			return "", errForm
		}
		return "[" + address.String() + "]", nil
	}
	name, err := strings.ToLower(text), error(nil)
	if strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) {
		name, err = idna.Lookup.ToASCII(text)
	}
	const longest = 253 // RFC 1035
	if err != nil || !utf8.ValidString(text) || name == "" || len(name) > longest || strings.ContainsFunc(name, notInNames) {
		return "", errForm
	}
	return name, nil
}

// notInNames reports whether a letter is in no host name. Underscores are not
// in the standard, but in names that people use.
func notInNames(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
}
