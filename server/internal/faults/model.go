package faults

import "maps"

// Model is one user as the rules have it: what every implementation must look
// like from outside. It is a value: a step returns the next one and leaves the
// old as it is.
type Model struct {
	Head    uint64
	Values  map[string]Value
	answers *answered
}

// answered remembers the answers given, newest first. The list is shared
// between the models that follow one another.
type answered struct {
	id     patchKey
	body   string
	result Result
	before *answered
	count  int
}

// Patch is what the user's next state is, and the answer, when a device's
// patch is stored now (SPEC P1–P5).
func (m Model) Patch(p *Patch) (Model, Result) {
	id := patchKey{p.Device, p.ID}
	if old := m.answer(id); old != nil {
		if old.body != p.text() {
			return m, Result{Code: "id-reused"}
		}
		again := old.result
		again.Duplicate = again.Acked
		return m, again
	}
	if moved := m.moved(p); len(moved) > 0 {
		return m.remember(id, p, Result{Code: "conflict", Current: moved})
	}
	m.Head++
	m.Values = maps.Clone(m.Values)
	if m.Values == nil {
		m.Values = make(map[string]Value)
	}
	for name, text := range p.Set {
		m.Values[name] = Value{text, m.Head}
	}
	return m.remember(id, p, Result{Acked: true, Revision: m.Head})
}

// moved are the keys of a patch above their base.
func (m Model) moved(p *Patch) map[string]Value {
	moved := make(map[string]Value)
	for name := range p.Set {
		base, named := p.Base[name]
		if v, known := m.Values[name]; named && known && v.Revision > base {
			moved[name] = v
		}
	}
	return moved
}

func (m Model) remember(id patchKey, p *Patch, r Result) (Model, Result) {
	m.answers = &answered{id, p.text(), r, m.answers, m.remembered() + 1}
	return m, r
}

func (m Model) remembered() int {
	if m.answers == nil {
		return 0
	}
	return m.answers.count
}

func (m Model) answer(id patchKey) *answered {
	for a := m.answers; a != nil; a = a.before {
		if a.id == id {
			return a
		}
	}
	return nil
}

// Since is what a device at a revision lacks; ok is false when that cannot be
// told and it must get everything (I9).
func (m Model) Since(revision uint64) (values map[string]Value, ok bool) {
	if revision > m.Head {
		return m.Values, false
	}
	values = maps.Clone(m.Values)
	maps.DeleteFunc(values, func(_ string, v Value) bool { return v.Revision <= revision })
	return values, true
}

// text is what two patches of one id must have in common: all but the id.
func (p *Patch) text() string {
	same := *p
	same.ID = ""
	return string(same.body())
}
