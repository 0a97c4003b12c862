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
