// Package web serves the built client: the static export of client/, copied to
// dist by make and embedded in the binary. Everything about a file is worked
// out once, at start: its type, its compressed form, its entity tags and, for a
// page, a Content-Security-Policy that lists exactly the scripts it was built with.
package web

import (
	"embed"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
)

// all: keeps names that begin with "_" (Next's own) and ".gitkeep", which is
// what lets this package compile before the client is built.
//
//go:embed all:dist
var embedded embed.FS

// notBuilt is what a browser is told by a binary without a client.
const notBuilt = "The client is not built into this server. Run `make build`, then start bin/social-server again.\n"

// Embedded returns the client this binary was built with.
func Embedded() fs.FS {
	dist, err := fs.Sub(embedded, "dist")
	if err != nil {
		panic(err) // "dist" is a valid path: it cannot fail
	}
	return dist
}

// Site answers GET and HEAD for the files of a client, and sends a form that was
// submitted to a page back to it. It is safe for concurrent use: nothing in it
// changes after Open.
type Site struct {
	files map[string]*file // by path without the leading slash
}

// Open reads every file of fsys into memory.
func Open(fsys fs.FS) (*Site, error) {
	files, err := load(fsys)
	if err != nil {
		return nil, err
	}
	return &Site{files: files}, nil
}

// Built reports whether there is a client to serve.
func (s *Site) Built() bool { return s.files["index.html"] != nil }

// ServeHTTP serves a file by its exact name, or a page by its name without
// ".html"; everything else is the client's own 404 page, with that status.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header(), r.TLS != nil)
	name := strings.TrimPrefix(r.URL.Path, "/")
	switch {
	case r.Method == http.MethodPost && s.isPage(name):
		sendBack(w, r, "/"+name)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Only GET and HEAD are answered here.", http.StatusMethodNotAllowed)
		return
	case !s.Built():
		http.Error(w, strings.TrimSuffix(notBuilt, "\n"), http.StatusServiceUnavailable)
		return
	}
	if f := s.find(name); f != nil {
		f.serve(w, r, http.StatusOK)
		return
	}
	if page := strings.TrimSuffix(name, "/"); page != name && s.find(page) != nil && r.URL.Path == "/"+name {
		// The export has a folder beside each page; its name with a slash means the page.
		target := "/" + page
		if r.URL.RawQuery != "" {
			target += "?" + r.URL.RawQuery
		}
		http.Redirect(w, r, target, http.StatusPermanentRedirect) // #nosec G710 -- the name of a page this binary has
		return
	}
	s.notFound(w, r)
}

// find returns the file a path names, or nil.
func (s *Site) find(name string) *file {
	if name == "" {
		return s.files["index.html"]
	}
	if f := s.files[name]; f != nil {
		return f
	}
	return s.files[name+".html"]
}

// isPage reports whether a path names a page, which may hold a form.
func (s *Site) isPage(name string) bool {
	f := s.find(name)
	return f != nil && f.contentType == contentTypes[".html"]
}

// sendBack answers a form that a browser submitted by itself, before the
// client's script ran or without it. The fields are not read. The page is shown
// again, and `unsent` makes it say so.
func sendBack(w http.ResponseWriter, r *http.Request, page string) {
	query := r.URL.Query()
	query.Set("unsent", "1")
	http.Redirect(w, r, page+"?"+query.Encode(), http.StatusSeeOther) // #nosec G710 -- the name of a page this binary has
}

func (s *Site) notFound(w http.ResponseWriter, r *http.Request) {
	if f := s.files["404.html"]; f != nil {
		f.serve(w, r, http.StatusNotFound)
		return
	}
	http.Error(w, "There is no such page.", http.StatusNotFound)
}

// secure sets the headers that every answer has, whatever its status.
func secure(h http.Header, tls bool) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Content-Security-Policy", plainPolicy)
	h.Set("Cache-Control", "no-cache")
	if tls {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// serve writes the file in the form the request accepts, or 304 when the
// browser has it already.
func (f *file) serve(w http.ResponseWriter, r *http.Request, status int) {
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Content-Security-Policy", f.policy)
	form := f.plain
	if f.gzipped.body != nil {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Values("Accept-Encoding")) {
			form = f.gzipped
			h.Set("Content-Encoding", "gzip")
		}
	}
	if status == http.StatusOK {
		h.Set("Cache-Control", f.cache)
		h.Set("ETag", form.etag)
		if matches(r.Header.Values("If-None-Match"), form.etag) {
			h.Del("Content-Type")
			h.Del("Content-Encoding")
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(form.body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(form.body) // the browser may have gone
	}
}

// acceptsGzip reads Accept-Encoding: gzip, or any coding, not refused by q=0.
func acceptsGzip(lines []string) bool {
	accepted := false
	for _, one := range strings.Split(strings.Join(lines, ","), ",") {
		coding, weight, _ := strings.Cut(one, ";")
		coding = strings.ToLower(strings.TrimSpace(coding))
		if coding != "gzip" && coding != "*" {
			continue
		}
		_, value, given := strings.Cut(weight, "=")
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		accepted = !given || (err == nil && q > 0)
		if coding == "gzip" {
			return accepted // its own word counts more than that of "*"
		}
	}
	return accepted
}

// matches reports whether If-None-Match names the tag, weak or strong.
func matches(lines []string, etag string) bool {
	for _, one := range strings.Split(strings.Join(lines, ","), ",") {
		one = strings.TrimSpace(one)
		if one == "*" || strings.TrimPrefix(one, "W/") == etag {
			return true
		}
	}
	return false
}
