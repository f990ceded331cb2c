//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"social-server/cmd/bench/internal/host"
	"social-server/cmd/bench/internal/load"
	"social-server/cmd/bench/internal/report"
	"social-server/cmd/bench/internal/seed"
)

// askers is how many connections send requests.
const askers = 32

// plainHTTP measures PATCH and GET of settings.
func (b *bench) plainHTTP(ctx context.Context) error {
	s := b.product()
	return b.with(ctx, s, nil, func(p *host.Process, _ *load.Fleet) error {
		for _, method := range []string{http.MethodGet, http.MethodPatch} {
			if err := b.ask(ctx, s.name, method, p); err != nil {
				return fmt.Errorf("%s: %w", method, err)
			}
		}
		return nil
	})
}

func (b *bench) ask(ctx context.Context, subject, method string, p *host.Process) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: askers}}
	defer client.CloseIdleConnections()
	before, err := p.Usage()
	if err != nil {
		return err
	}
	end := time.Now().Add(b.rest)
	all := hdrhistogram.New(int64(time.Microsecond), int64(time.Minute), 2)
	var mu sync.Mutex // guards all and err
	var asking sync.WaitGroup
	for n := range askers {
		asking.Go(func() {
			u := b.users[groupIdle][n%len(b.users[groupIdle])]
			own, failed := askUntil(ctx, client, method, p.Addr.String(), u, end)
			mu.Lock()
			defer mu.Unlock()
			all.Merge(own)
			err = errors.Join(err, failed)
		})
	}
	asking.Wait()
	if err != nil {
		return err
	}
	after, err := p.Usage()
	if err != nil {
		return err
	}
	used, took := after.Sub(before), after.At.Sub(before.At)
	add := func(figure string, value float64) {
		b.book.Add(report.Name{Scenario: "rest", Subject: subject, Figure: method + ": " + figure}, value, tool(used, took))
	}
	add("requests/s", float64(all.TotalCount())/took.Seconds())
	add("p99, ms", ms(all.ValueAtQuantile(99)))
	add("CPU per request, own, µs", micros(used.Server)/float64(all.TotalCount()))
	return nil
}

// askUntil sends one request after the other until the end.
func askUntil(ctx context.Context, client *http.Client, method, addr string, u seed.User, end time.Time) (*hdrhistogram.Histogram, error) {
	took := hdrhistogram.New(int64(time.Microsecond), int64(time.Minute), 2)
	for n := 0; ; n++ {
		began := time.Now()
		if began.After(end) {
			return took, nil
		}
		body := ""
		if method == http.MethodPatch {
			body = fmt.Sprintf(`{"bench":{"text":"%0*d"}}`, small, n)
		}
		r, err := http.NewRequestWithContext(ctx, method, "http://"+addr+"/api/v1/users/"+u.Name+"/settings", strings.NewReader(body))
		if err != nil {
			return took, err
		}
		r.Header.Set("Authorization", "Bearer "+u.Devices[0].Token)
		r.Header.Set("Content-Type", "application/merge-patch+json")
		answer, err := client.Do(r)
		if err != nil {
			return took, err
		}
		_, err = io.Copy(io.Discard, answer.Body)
		if err := errors.Join(err, answer.Body.Close()); err != nil {
			return took, err
		}
		if answer.StatusCode != http.StatusOK {
			return took, fmt.Errorf("the server answered %s", answer.Status)
		}
		if err := took.RecordValue(int64(time.Since(began))); err != nil {
			return took, err
		}
	}
}
