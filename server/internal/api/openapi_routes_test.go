package api

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// operation is what the tests read of one method of one path.
type operation struct {
	OperationID string
	Summary     string
	Security    *[]map[string][]string
	Parameters  []parameter
	Responses   map[string]any
}

type parameter struct {
	Ref string `json:"$ref"`
}

// pathItem holds the operations of a path and the parameters they share.
type pathItem struct {
	Get, Post, Patch, Put, Delete *operation
	Parameters                    []parameter
}

func (p pathItem) operations() map[string]*operation {
	all := map[string]*operation{
		http.MethodGet: p.Get, http.MethodPost: p.Post, http.MethodPatch: p.Patch, http.MethodPut: p.Put, http.MethodDelete: p.Delete,
	}
	maps.DeleteFunc(all, func(_ string, o *operation) bool { return o == nil })
	return all
}

// documented returns every operation of the document by method and path.
func documented(t *testing.T) map[string]*operation {
	t.Helper()
	var doc struct{ Paths map[string]pathItem }
	if err := json.Unmarshal(openAPIText, &doc); err != nil {
		t.Fatal(err)
	}
	all := map[string]*operation{}
	for path, item := range doc.Paths {
		for method, o := range item.operations() {
			o.Parameters = append(o.Parameters, item.Parameters...)
			all[method+" "+path] = o
		}
	}
	return all
}

func TestEveryRouteIsDescribed(t *testing.T) {
	described := documented(t)
	routed := map[string]route{}
	for _, r := range (&Server{}).routes() {
		routed[r.method+" "+r.path] = r
	}
	for name := range described {
		if _, ok := routed[name]; !ok {
			t.Errorf("openapi.json describes %s, which is not routed", name)
		}
	}
	for name, r := range routed {
		o, ok := described[name]
		if !ok {
			t.Errorf("%s is not described in openapi.json", name)
			continue
		}
		// Without a word of its own an operation needs a token, as the document says at its top.
		if needsToken := o.Security == nil; needsToken && r.open && !looksForTokenItself(name) || !needsToken && !r.open {
			t.Errorf("%s: described as needing a token: %v; routed as open: %v", name, needsToken, r.open)
		}
	}
}

// looksForTokenItself names the route that is open in the list and still needs
// a token: it answers a revoked device differently (SPEC H3).
func looksForTokenItself(name string) bool { return strings.HasSuffix(name, "/events") }

func TestEveryOperationIsWhole(t *testing.T) {
	variable := regexp.MustCompile(`\{(\w+)\}`)
	ids := map[string]bool{}
	for name, o := range documented(t) {
		if o.OperationID == "" || ids[o.OperationID] || !strings.HasSuffix(o.Summary, ".") {
			t.Errorf("%s: id %q, summary %q", name, o.OperationID, o.Summary)
		}
		ids[o.OperationID] = true
		if !slices.ContainsFunc(slices.Collect(maps.Keys(o.Responses)), func(status string) bool { return status < "3" }) {
			t.Errorf("%s never succeeds", name)
		}
		for _, found := range variable.FindAllStringSubmatch(name, -1) {
			wanted := map[string]string{"id": "DeviceId", "username": "Username", "ask": "Ask", "device": "Member"}[found[1]]
			if !slices.Contains(o.Parameters, parameter{Ref: "#/components/parameters/" + wanted}) {
				t.Errorf("%s: {%s} is not described", name, found[1])
			}
		}
	}
}
