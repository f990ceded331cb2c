package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

const (
	pageCache  = "no-cache"                            // asks every time, and is told 304
	assetCache = "public, max-age=31536000, immutable" // its name changes with what it holds
	assets     = "_next/static/"
	minGzip    = 1024 // smaller files gain nothing
)

// file is one file of the client, ready to be sent.
type file struct {
	contentType string
	cache       string
	policy      string // Content-Security-Policy
	plain       form
	gzipped     form // no body when compression does not pay
}

// form is one encoding of a file.
type form struct {
	body []byte
	etag string
}

// contentTypes is a table of our own, because the system's varies.
var contentTypes = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".jpg":         "image/jpeg",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".webmanifest": "application/manifest+json",
	".webp":        "image/webp",
	".woff2":       "font/woff2",
	".xml":         "application/xml",
}

// load reads all files that may be served.
func load(fsys fs.FS) (map[string]*file, error) {
	files := map[string]*file{}
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !served(name) {
			return err
		}
		body, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		files[name], err = newFile(name, body)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the client: %w", err)
	}
	return files, nil
}

// served keeps back what is no part of the site: hidden files, and the source
// maps that a build may leave.
func served(name string) bool {
	return !strings.HasPrefix(name, ".") && !strings.Contains(name, "/.") && path.Ext(name) != ".map"
}

func newFile(name string, body []byte) (*file, error) {
	f := &file{
		contentType: contentTypes[path.Ext(name)],
		cache:       pageCache,
		policy:      plainPolicy,
		plain:       form{body: body, etag: etagOf(body, "")},
	}
	if f.contentType == "" {
		f.contentType = "application/octet-stream"
	}
	if strings.HasPrefix(name, assets) {
		f.cache = assetCache
	}
	if path.Ext(name) == ".html" {
		f.policy = pagePolicy(body)
	}
	if !compressible(f.contentType) || len(body) < minGzip {
		return f, nil
	}
	packed, err := pack(body)
	if err == nil && len(packed) < len(body) {
		f.gzipped = form{body: packed, etag: etagOf(body, "-gzip")}
	}
	return f, err
}

// etagOf names what a body holds. The compressed form is other bytes, and so
// needs another name.
func etagOf(body []byte, suffix string) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + suffix + `"`
}

func compressible(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, "/")
	return kind == "text" || contentType == "image/svg+xml" || kind == "application" && contentType != "application/octet-stream"
}

func pack(body []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
