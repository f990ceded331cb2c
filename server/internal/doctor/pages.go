package doctor

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
)

// script finds the address of a page's script, below the root of its host.
var script = regexp.MustCompile(`<script[^>]*\ssrc="(/[^"/][^"]*)"`)

// pages loads the start page and one of its scripts, as a browser does.
func (v *Visit) pages(ctx context.Context) Finding {
	if !v.there {
		return passed("nothing answers")
	}
	if prefix := v.Public.prefix(); prefix != "" {
		return Bad("pages do not work below %s: their scripts and their data are at the root of the host; give the server a host name, or a port, of its own", prefix).
			with(needRoot.advice())
	}
	if err := v.page(ctx, v.Public); err != nil {
		if v.behind() && v.page(ctx, v.Own) == nil {
			return Bad("%v; at %s it does, so a proxy between is to blame", err, v.Own.URL).with(needRoot.advice())
		}
		return Doubtful("%v: was the server built without its pages (make build)?", err)
	}
	return Good("a page comes with its scripts")
}

// page returns an error unless the start page and its first script arrive.
func (v *Visit) page(ctx context.Context, a *Address) error {
	text, err := a.fetch(ctx, "/", "text/html")
	if err != nil {
		return fmt.Errorf("the start page does not arrive: %w", err)
	}
	found := script.FindStringSubmatch(text)
	if found == nil {
		return fmt.Errorf("the start page of %s is not this server's: it has no script", a.URL)
	}
	if _, err := a.fetch(ctx, found[1], "text/javascript"); err != nil {
		return fmt.Errorf("a page arrives without its scripts: %w", err)
	}
	return nil
}

// fetch returns the body of a file of a type.
func (a *Address) fetch(ctx context.Context, path, kind string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	answer, err := a.do(ctx, call{method: http.MethodGet, path: path})
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if got := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || !strings.HasPrefix(got, kind) {
		return "", fmt.Errorf("GET %s is answered with %s, %q", path, status(answer), got)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, 4<<20))
	return string(text), err
}
