//go:build linux

package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"

	"social-server/cmd/bench/internal/host"
	"social-server/cmd/bench/internal/report"
)

// scriptOf finds the scripts that a page names, and legacy those that no browser
// of the last years loads.
var (
	scriptOf = regexp.MustCompile(`<script[^>]* src="(/[^"]+)"[^>]*>`)
	legacy   = regexp.MustCompile(`(?i) nomodule\b`)
)

// page weighs the scripts of the application, which do not depend on the load.
func (b *bench) page(ctx context.Context) error {
	s := b.product()
	dir, err := b.storageOf(s)
	if err != nil {
		return err
	}
	p, err := b.cores.Start(ctx, b.program(s, dir))
	if err != nil {
		return err
	}
	return errors.Join(b.weigh(ctx, p), p.Stop())
}

func (b *bench) weigh(ctx context.Context, p *host.Process) error {
	root := "http://" + p.Addr.String()
	text, err := get(ctx, root+"/app")
	if err != nil {
		return err
	}
	scripts := make(map[string]bool)
	for _, found := range scriptOf.FindAllSubmatch(text, -1) {
		if !legacy.Match(found[0]) {
			scripts[string(found[1])] = true
		}
	}
	if len(scripts) == 0 {
		return errors.New("/app loads no script: the server was built without its page (make build)")
	}
	var size counted
	for path := range scripts {
		text, err := get(ctx, root+path)
		if err != nil {
			return err
		}
		packed, _ := gzip.NewWriterLevel(&size, gzip.BestCompression) // the level is one
		if _, err := packed.Write(text); err != nil {
			return err
		}
		if err := packed.Close(); err != nil {
			return err
		}
	}
	b.book.Add(report.Name{Scenario: "page", Subject: "/app", Figure: "JavaScript, gzipped, kB"}, float64(size)/1000, 0)
	return nil
}

// counted is how many bytes were written to it.
type counted int

func (c *counted) Write(p []byte) (int, error) {
	*c += counted(len(p))
	return len(p), nil
}

// get returns a page as it is, not compressed.
func get(ctx context.Context, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(r) // decompresses
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return io.ReadAll(answer.Body)
}
