//go:build amd64 || arm64

package realm

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"
	"pgregory.net/rapid"
)

// alike compares two values in all that code can see of them.
const alike = `(function alike(a, b) {
	if (typeof a !== "object" || a === null || typeof b !== "object" || b === null) return Object.is(a, b);
	const keys = Reflect.ownKeys(a), others = Reflect.ownKeys(b);
	return Object.getPrototypeOf(a) === Object.getPrototypeOf(b) && Array.isArray(a) === Array.isArray(b) && a.length === b.length &&
		keys.length === others.length && keys.every((key, i) => {
			const x = Object.getOwnPropertyDescriptor(a, key), y = Object.getOwnPropertyDescriptor(b, key);
			return key === others[i] && x.writable === y.writable && x.enumerable === y.enumerable && x.configurable === y.configurable && alike(x.value, y.value);
		});
})`

// shaken changes each object of a value, so that one which shares what it must
// not is seen in another.
const shaken = `(function shake(v) {
	if (typeof v !== "object" || v === null) return;
	for (const key of Reflect.ownKeys(v)) shake(v[key]);
	v.added = 1;
	for (const key of Object.keys(v)) if (key !== "added") { delete v[key]; break; }
	v.more = { added: v.added };
	if (Array.isArray(v)) { v.push(1, 2); v.unshift(0); v.length = 1; }
})`

// both reads and writes texts by our ways and by the engine's.
type both struct {
	m            *Machine
	alike, shake value
}

func newBoth(t testing.TB) both {
	m, err := New(256 << 20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return both{m, eval(t, m, alike), eval(t, m, shaken)}
}

func eval(t testing.TB, m *Machine, code string) value {
	t.Helper()
	source, err := cString(m.tls, code)
	if err != nil {
		t.Fatal(err)
	}
	defer libc.Xfree(m.tls, source)
	v := lib.XJS_Eval(m.tls, m.ctx, source, libc.Tsize_t(len(code)), m.names.prelude, lib.MJS_EVAL_TYPE_GLOBAL)
	if isException(v) {
		t.Fatal(m.failed("evaluate"))
	}
	return v
}

// theirs is what the engine writes of a value.
func (b both) theirs(v value) string {
	text := lib.XJS_JSONStringify(b.m.tls, b.m.ctx, v, undefined(), undefined())
	defer b.m.free(text)
	return b.units(text)
}

// units are those of a text, for comparing: also of one that is no Unicode.
func (b both) units(text value) string {
	if text.Ftag != lib.EJS_TAG_STRING {
		return fmt.Sprintf("no text but a value of kind %d", text.Ftag)
	}
	n, wide := textLength(pointer(text))
	if !wide {
		return fmt.Sprintf("%q", string(unitsOf[uint8](pointer(text), n)))
	}
	return fmt.Sprintf("%x", unitsOf[uint16](pointer(text), n))
}

// held is how many blocks of memory, objects, properties, shapes, strings and
// atoms there are, and how many have the shape of no properties.
func (b both) held() [7]int64 {
	const size = int(unsafe.Sizeof(lib.TJSMemoryUsage{}))
	p := b.m.tls.Alloc(size)
	defer b.m.tls.Free(size)
	lib.XJS_ComputeMemoryUsage(b.m.tls, b.m.rt, p)
	u := at[lib.TJSMemoryUsage](p)
	empty := lib.XJS_NewObject(b.m.tls, b.m.ctx)
	defer b.m.free(empty)
	bare := *references(at[lib.TJSObject](pointer(empty)).Fshape)
	return [...]int64{u.Fmemory_used_count, u.Fobj_count, u.Fprop_count, u.Fshape_count, u.Fstr_count, u.Fatom_count, int64(bare)}
}

// try reads a text both ways and returns whether we knew it, and what is wrong.
func (b both) try(text string) (known bool, wrong string) {
	b.tryOnce(text) // shapes and tables of the engine that a first time makes
	before := b.held()
	known, wrong = b.tryOnce(text)
	if after := b.held(); wrong == "" && after != before {
		wrong = fmt.Sprintf("memory, objects, properties, shapes, strings, atoms and bare objects are %v after reading and writing, were %v before", after, before)
	}
	return known, wrong
}

func (b both) tryOnce(text string) (known bool, wrong string) {
	m := b.m
	p, err := cString(m.tls, text)
	if err != nil {
		return false, err.Error()
	}
	defer libc.Xfree(m.tls, p)
	theirs := lib.XJS_ParseJSON(m.tls, m.ctx, p, libc.Tsize_t(len(text)), m.names.json)
	defer m.free(theirs)
	ours, known := m.readJSON(p, len(text))
	if isException(theirs) {
		m.free(m.exception())
	}
	if !known {
		return false, ""
	}
	defer m.free(ours)
	if isException(theirs) {
		return true, "we read what the engine refuses"
	}
	if same := m.call(b.alike, ours, theirs); payload(same) != 1 {
		return true, fmt.Sprintf("we read %s, the engine %s", b.theirs(ours), b.theirs(theirs))
	}
	if wrong := b.writeOnce(ours); wrong != "" {
		return true, wrong
	}
	m.call(b.shake, ours)
	lib.XJS_RunGC(m.tls, m.rt)
	m.call(b.shake, theirs)
	if same := m.call(b.alike, ours, theirs); payload(same) != 1 {
		return true, fmt.Sprintf("after changes ours is %s, the engine's %s", b.theirs(ours), b.theirs(theirs))
	}
	return true, b.writeOnce(ours)
}

// writeOnce writes a value both ways and returns what is wrong.
func (b both) writeOnce(v value) string {
	text, known := b.m.writeJSON(v)
	if !known {
		return ""
	}
	defer b.m.free(text)
	if ours, theirs := b.units(text), b.theirs(v); ours != theirs {
		return fmt.Sprintf("we write %s, the engine %s", ours, theirs)
	}
	return ""
}

// known are texts that must not be left to the engine.
var known = []string{
	`{}`, `[]`, `""`, `0`, `-0`, `-1`, `12`, `true`, `false`, `null`, ` [ 1 , 2 ] `, "\t\r\n{ \"a\" :\n1 }",
	`[[],[[]],{},{"a":{}},{"a":[]}]`, `123456789`, `1234567890`, `-2147483648`, `2147483648`, `9007199254740993`,
	`1e5`, `1E+5`, `1.5e-7`, `0.1`, `-0.0`, `1e999`, `-1e999`, `5e-324`, `1e21`, `123456789012345678901234567890`,
	`"a\"b\\c\/d\b\f\n\r\t"`, `"\u0041\u00e9\u20ac"`, `"é"`, `"€ and 😀"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ude00\ud83d"`, `"\u0000\u001f\u007f"`, `"\u2028"`, "\"\x7f\"",
	`{"a":1,"b":2}`, `[{"a":1,"b":2},{"a":3,"b":4},{"a":5},{"b":6,"a":7},{"a":8,"b":9,"c":10}]`,
	`[{"a":1,"a":2},{"a":3,"a":4}]`, `[{"a":{"x":1},"a":2},{"a":{"x":3},"a":{"x":4}}]`,
	`[{"__proto__":{"a":1}},{"__proto__":2,"constructor":3,"toString":4}]`,
	`[{"2":1,"1":2,"b":3,"a":4},{"2":1,"1":2,"b":3,"a":4}]`, `[{"":1},{"":2}]`, `[{"é":1},{"é":2}]`, `[{"\u0061":1,"b":2},{"a":1,"\u0062":2}]`,
	`[{"a":{"a":{"a":1}}},{"a":{"a":{"a":2}}}]`, `{"length":1,"toJSON":2}`, `{"4294967294":1,"4294967295":2,"01":3,"-1":4}`,
	`[{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9},{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9}]`,
}

// broken are texts that the engine must refuse.
var broken = []string{
	``, ` `, `{`, `[`, `"`, `[1`, `[1,`, `[1,]`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{a:1}`, `{"a" 1}`, `[1 2]`, `[1]]`, `{}{}`,
	`tru`, `nul`, `nullx`, `01`, `1.`, `.5`, `1e`, `1e+`, `+1`, `-`, `--1`, `0x10`, `NaN`, `'a'`, "\"a\nb\"", `"\x41"`, `"\u12"`, `"\u12g4"`, `"\`,
	`[{"a":1},{"a":2},{"a":3,]`, `[{"a":{"b":[1,2,{"c":`, "\ufeff1", "1\x00", `{"a":1,"b"}`, `{"é":1,}`, `{"\u0061"`, `{"\u0061":1,"b":}`,
}

func TestJSONAsTheEngine(t *testing.T) {
	t.Parallel()
	b := newBoth(t)
	all := map[string]string{
		"many keys":      texts(5000, func(i int) string { return fmt.Sprintf(`{"k%d":%d}`, i, i) }),
		"one of many":    "{" + strings.Trim(texts(5000, func(i int) string { return fmt.Sprintf(`"k%d":%d`, i, i) }), "[]") + "}",
		"keys that fork": texts(300, func(i int) string { return fmt.Sprintf(`{"a":1,"b%d":2,"c":3}`, i%30) }),
		"deep":           strings.Repeat(`{"a":[`, 200) + "1" + strings.Repeat(`]}`, 200),
		"long":           `"` + strings.Repeat("long ", 100_000) + `"`,
		"texts again": texts(500, func(i int) string {
			return fmt.Sprintf(`{"s":"open","t":%q,"u":"é","v":"%d"}`, strings.Repeat("x", i%20), i%30)
		}),
		"alike at first": texts(3000, func(i int) string { return fmt.Sprintf(`["beginning%d","%d beginning"]`, i, i) }),
		"long and wide":  `"` + strings.Repeat("long €", 100_000) + `"`,
	}
	for _, text := range known {
		all[text] = text
	}
	for name, text := range all {
		if known, wrong := b.try(text); wrong != "" || !known {
			t.Errorf("%.60s: %.400s (known: %t)", name, wrong, known)
		}
	}
	for _, text := range broken {
		if known, wrong := b.try(text); wrong != "" || known {
			t.Errorf("%q: %.400s (known: %t)", text, wrong, known)
		}
	}
	for _, text := range []string{strings.Repeat("[", 600) + strings.Repeat("]", 600), "[\"\xed\xa0\x80\"]", "\"\xff\""} {
		if known, wrong := b.try(text); wrong != "" || known {
			t.Errorf("%.20q is to be left to the engine: %s (known: %t)", text, wrong, known)
		}
	}
}

// texts is an array of n values.
func texts(n int, value func(i int) string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = value(i)
	}
	return "[" + strings.Join(all, ",") + "]"
}

// Any text is read and written as the engine does it, or not at all, and nothing
// is left behind: texts of values, and those with something broken in them.
func TestAnyJSONAsTheEngine(t *testing.T) {
	t.Parallel()
	b := newBoth(t)
	keys := rapid.SampledFrom([]string{"a", "b", "c", "1", "", "é", "€", "__proto__", "toJSON", "a\nb"})
	leaf := rapid.OneOf(
		rapid.Just[any](nil), rapid.Map(rapid.Bool(), anything), rapid.Map(rapid.Int(), anything), rapid.Map(rapid.String(), anything),
		rapid.Map(rapid.Float64().Filter(func(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }), anything))
	tree := leaf
	for range 4 {
		tree = rapid.OneOf(leaf, rapid.Map(rapid.SliceOfN(tree, 0, 6), anything), rapid.Map(rapid.MapOfN(keys, tree, 0, 6), anything))
	}
	rapid.Check(t, func(rt *rapid.T) {
		text, err := json.Marshal(tree.Draw(rt, "value"))
		if err != nil {
			rt.Fatal(err)
		}
		if rapid.Bool().Draw(rt, "large") { // texts share their memory
			text = slices.Concat([]byte("["), text, []byte(","), text, []byte(strings.Repeat(" ", largeText)+"]"))
		}
		if rapid.Bool().Draw(rt, "break it") {
			i := rapid.IntRange(0, len(text)).Draw(rt, "where")
			j := rapid.IntRange(i, min(i+3, len(text))).Draw(rt, "until")
			in := rapid.SampledFrom([]string{"", ",", "]", "}", "[", "{", `"`, ":", "\\", "1", "-", ".", "e", "\x00", "é"}).Draw(rt, "with")
			text = []byte(string(text[:i]) + in + string(text[j:]))
		}
		if _, wrong := b.try(string(text)); wrong != "" {
			rt.Fatalf("%q: %s", text, wrong)
		}
	})
}

func anything[T any](v T) any { return v }

// Numbers are written as the engine writes them.
func TestNumbersAsTheEngine(t *testing.T) {
	t.Parallel()
	b := newBoth(t)
	check := func(f float64) string {
		ours, theirs := string(appendNumber(nil, f)), b.theirs(float(f))
		if fmt.Sprintf("%q", ours) != theirs {
			return fmt.Sprintf("%x: we write %s, the engine %s", f, ours, theirs)
		}
		return ""
	}
	for _, f := range []float64{0, math.Copysign(0, -1), 1, -1, 100, 0.1, 1e20, 1e21, 123e19, 1e-6, 1e-7, 1.5e-7, 5e-324, math.MaxFloat64, 1e100, 1e300, math.NaN(), math.Inf(1), math.Inf(-1), 1 << 53, 12.5, -0.07, 1234.1, 99999999999.99, 9999999999999.99, 1e15 + 0.25, 1e15 - 0.125, 4503599627370495.5, -1e14 - 0.33} {
		if wrong := check(f); wrong != "" {
			t.Error(wrong)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		if wrong := check(math.Float64frombits(rapid.Uint64().Draw(rt, "bits"))); wrong != "" {
			rt.Fatal(wrong)
		}
		decimal := float64(rapid.Int64().Draw(rt, "digits")) / math.Pow10(rapid.IntRange(0, 20).Draw(rt, "after the point"))
		if wrong := check(decimal); wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

// Numbers are read as the engine reads them.
func TestNumbersReadAsTheEngine(t *testing.T) {
	t.Parallel()
	b := newBoth(t)
	texts := rapid.StringMatching(`-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?`)
	rapid.Check(t, func(rt *rapid.T) {
		text := texts.Draw(rt, "number")
		if known, wrong := b.try(text); wrong != "" || !known {
			rt.Fatalf("%s: %s (known: %t)", text, wrong, known)
		}
	})
}

// Where there is no memory for a value, nothing is left of it.
func TestJSONWithoutMemory(t *testing.T) {
	t.Parallel()
	b := newBoth(t)
	text := texts(20_000, func(i int) string { return fmt.Sprintf(`{"id":%d,"name":"some name","tags":["a","b"]}`, i) })
	p, err := cString(b.m.tls, text)
	if err != nil {
		t.Fatal(err)
	}
	defer libc.Xfree(b.m.tls, p)
	whole, known := b.m.readJSON(p, len(text))
	if !known {
		t.Fatal("the text is not known")
	}
	before := b.held()
	refused := 0
	for room := 1 << 10; room < 12<<20; room += room/4 + 1000 {
		b.m.memory.SetLimit(room)
		if v, ok := b.m.readJSON(p, len(text)); ok {
			b.m.free(v)
		} else {
			refused++
		}
		if v, ok := b.m.writeJSON(whole); ok {
			b.m.free(v)
		} else {
			refused++
		}
		if after := b.held(); after != before {
			t.Fatalf("with room for %d bytes %v is held, before %v", room, after, before)
		}
	}
	if refused < 20 {
		t.Errorf("only %d times there was no memory", refused)
	}
}

func FuzzJSON(f *testing.F) {
	for _, text := range append(known, broken...) {
		f.Add(text)
	}
	b := newBoth(f)
	f.Fuzz(func(t *testing.T, text string) {
		if _, wrong := b.try(text); wrong != "" {
			t.Errorf("%q: %s", text, wrong)
		}
	})
}

// large is some 1 MB of JSON.
var large = []byte(texts(15_000, func(int) string { return `{"id":1234567,"name":"Ada Lovelace","tags":["a","b"],"total":12.5}` }))

func BenchmarkReadJSON(b *testing.B) {
	m := newBoth(b).m
	b.SetBytes(int64(len(large)))
	for b.Loop() {
		m.free(m.parseJSON(large))
	}
}

func BenchmarkWriteJSON(b *testing.B) {
	m := newBoth(b).m
	v := m.parseJSON(large)
	b.SetBytes(int64(len(large)))
	for b.Loop() {
		text, known := m.writeJSON(v)
		if !known {
			b.Fatal("left to the engine")
		}
		m.free(text)
	}
}
