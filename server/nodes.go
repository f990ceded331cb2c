package main

import (
	"social-server/internal/api"
)

// checks are what readiness looks at.
func (p *program) checks() []api.Check {
	return []api.Check{{Name: "database", Needed: true, Run: p.store.Ping}}
}
