//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"

	"social-server/cmd/bench/internal/host"
	"social-server/cmd/bench/internal/load"
	"social-server/internal/backing"
)

var _ = errors.New
var _ = fmt.Sprint
var _ backing.Redis
var _ host.Process
var _ load.Fleet

func (b *bench) onPostgres(ctx context.Context) error { return nil }
func (b *bench) twoNodes(ctx context.Context) error   { return nil }
