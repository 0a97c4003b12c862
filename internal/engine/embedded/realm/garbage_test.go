package realm_test

import "testing"

// garbage begins a handler. A WeakRef tells whether garbage was looked for: what it
// leads to holds itself, and ends in no other way.
const garbage = `
	let first = {}; first.self = first;
	const ref = new WeakRef(first);
	first = undefined;
	await null; // what a job has seen lives as long as the job
	const text = "[" + '{"id":1234567,"name":"Ada Lovelace","tags":["a","b"],"total":12.5},'.repeat(15_000) + "{}]";
	const cycles = (n) => { for (let i = 0; i < n; i++) { const o = {}; o.self = o; } };
`

// Garbage ends before it takes the memory that the code may have, whoever made the
// objects.
func TestGarbageEnds(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]string{
		"of objects": `cycles(2_000_000); await null; return ref.deref() === undefined`,
		"of JSON":    `for (let i = 0; i < 30; i++) { const o = JSON.parse(text); o[0].all = o; } await null; return ref.deref() === undefined`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result, _, failure := do(t, garbage+code)
			if failure != nil || result != "true" {
				t.Errorf("got %s, %v", result, failure)
			}
		})
	}
}

// A handler is not looked through for garbage while it holds little of its memory.
func TestFewObjectsAreNotLookedThrough(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]string{
		"a large value is kept":   `const kept = JSON.parse(text); cycles(1000); await null; return kept.length === 15001 && ref.deref() !== undefined`,
		"large values are let go": `for (let i = 0; i < 20; i++) JSON.parse(text); cycles(1000); await null; return ref.deref() !== undefined`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result, _, failure := do(t, garbage+code)
			if failure != nil || result != "true" {
				t.Errorf("got %s, %v", result, failure)
			}
		})
	}
}

// What a top level leaves is copied for each run, so that its garbage is looked
// for as early as the engine does.
func TestGarbageOfTheTopLevel(t *testing.T) {
	t.Parallel()
	m, load := machine(t)
	p := load(`let first = {}; first.self = first;
		const ref = new WeakRef(first);
		first = undefined;
		const text = "[" + '{"id":1234567,"name":"Ada Lovelace"},'.repeat(8_000) + "{}]";
		const o = JSON.parse(text); o[0].all = o;
		for (let i = 0; i < 1000; i++) { const o = {}; o.self = o; }
		` + handler(`return ref.deref() === undefined`))
	for range 2 { // the second one begins with what the first one's top level left
		if got, err := m.Run(p, call(), &record{}); err != nil || string(got) != "true" {
			t.Errorf("got %s, %v", got, err)
		}
	}
}
