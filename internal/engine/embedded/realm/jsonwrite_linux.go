//go:build amd64 || arm64

package realm

import (
	"math"
	"slices"
	"strconv"

	lib "modernc.org/libquickjs"
)

// maxJSON is how many units a text of JSON may have that we write: enough for any
// body, and far from what the engine can count.
const maxJSON = 1 << 28

// writeJSON makes the JSON text of a value. It returns false, and nothing has
// happened, when it does not know the text: code of somebody would have to be
// asked for a part of it, the value is unusual, or there is no memory.
func (m *Machine) writeJSON(v value) (value, bool) {
	if v.Ftag != lib.EJS_TAG_OBJECT && !isText(v) {
		return value{}, false
	}
	narrow := jsonWriter[uint8]{m: m}
	text, ok := narrow.write(v)
	if ok || !narrow.wide {
		return text, ok
	}
	wide := jsonWriter[uint16]{m: m}
	return wide.write(v)
}

// jsonWriter writes one text of JSON, in units of a size.
type jsonWriter[U unit] struct {
	m *Machine
	// text is the string that is being written, in the engine's memory, and out are
	// its units so far, with room behind them: whoever appends has grown it before.
	text uintptr
	out  []U
	// wide is whether there is a unit that does not fit.
	wide bool
	// shapes are what is known of the shapes of objects, and last is the one that
	// was asked for last.
	shapes map[uintptr]*writing[U]
	last   *writing[U]
	// arrays is what is known of arrays' prototypes: that they can be written, or not.
	arrays, arraysKnown bool
}

// writing tells how objects of one shape are written.
type writing[U unit] struct {
	shape  uintptr
	known  bool
	fields []field[U]
}

// field is a property that is written: where it is in the object, and its name
// with quotes and colon.
type field[U unit] struct {
	index int
	name  []U
}

func (w *jsonWriter[U]) write(v value) (value, bool) {
	ok := w.grow(256) && w.value(v, 0)
	if !ok {
		lib.Xjs_free(w.m.tls, w.m.ctx, w.text)
		return value{}, false
	}
	n := len(w.out)
	if p := lib.Xjs_realloc(w.m.tls, w.m.ctx, w.text, textSize[U](n)); p != 0 {
		w.text = p
	} else {
		w.m.free(w.m.exception()) // the room that is too much stays
	}
	return setText[U](w.text, n), true
}

// grow makes room for n units.
func (w *jsonWriter[U]) grow(n int) bool { return cap(w.out)-len(w.out) >= n || w.move(n) }

// move makes room for n units somewhere else.
func (w *jsonWriter[U]) move(n int) bool {
	used := len(w.out)
	size := max(used+n, 2*cap(w.out))
	if size > maxJSON {
		return false
	}
	p := lib.Xjs_realloc(w.m.tls, w.m.ctx, w.text, textSize[U](size))
	if p == 0 {
		w.m.free(w.m.exception())
		return false
	}
	w.text = p
	w.out = unitsOf[U](p, size)[:used]
	return true
}

// put appends what was made room for.
func (w *jsonWriter[U]) put(text string) {
	for i := range len(text) {
		w.out = append(w.out, U(text[i]))
	}
}

// numberRoom is more than any number and any word takes, with the comma.
const numberRoom = 32

func (w *jsonWriter[U]) value(v value, depth int) bool {
	if !w.grow(numberRoom) {
		return false
	}
	switch v.Ftag {
	case lib.EJS_TAG_INT:
		var digits [numberRoom]byte
		w.copy(strconv.AppendInt(digits[:0], int64(asInt(v)), 10))
	case lib.EJS_TAG_FLOAT64:
		if isOddPower(asFloat(v)) {
			return false
		}
		var digits [numberRoom]byte
		w.copy(appendNumber(digits[:0], asFloat(v)))
	case lib.EJS_TAG_BOOL:
		w.put(strconv.FormatBool(payload(v) != 0))
	case lib.EJS_TAG_NULL:
		w.put("null")
	case lib.EJS_TAG_STRING, lib.EJS_TAG_STRING_ROPE:
		return w.quoted(v)
	case lib.EJS_TAG_OBJECT:
		return depth < maxDepth && w.object(pointer(v), depth)
	default:
		return false
	}
	return true
}

// isOddPower reports whether a number is a power of two with more than 15 digits,
// of which the engine writes more than are needed to tell it from its neighbours.
func isOddPower(f float64) bool {
	const fraction = 1<<52 - 1
	size := math.Abs(f)
	return math.Float64bits(f)&fraction == 0 && (size < 0x1p-21 && size != 0 || size > 0x1p53 && !math.IsInf(f, 0))
}

// appendNumber appends a number as the language writes it (ECMA-262,
// Number::toString): digits to 1e21 and from 1e-6 on, else with an exponent.
func appendNumber(out []byte, f float64) []byte {
	size := math.Abs(f)
	// A number of at most 15 digits is the shortest that means its float64.
	if cents := math.Round(f * 100); cents/100 == f && size < 1e13 && f != 0 {
		return appendCents(out, int64(cents))
	}
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return append(out, "null"...)
	case f == 0:
		return append(out, '0')
	case size >= 1e-6 && size < 1e21:
		return strconv.AppendFloat(out, f, 'f', -1, 64)
	}
	out = strconv.AppendFloat(out, f, 'e', -1, 64)
	// Go writes at least two digits of the exponent.
	if n := len(out); out[n-2] == '0' && (out[n-3] == '-' || out[n-3] == '+') {
		out[n-2] = out[n-1]
		out = out[:n-1]
	}
	return out
}

// appendCents appends a number of hundredths.
func appendCents(out []byte, n int64) []byte {
	if n < 0 {
		out, n = append(out, '-'), -n
	}
	out = strconv.AppendInt(out, n/100, 10)
	rest := byte(n % 100)
	if rest == 0 {
		return out
	}
	if out = append(out, '.', '0'+rest/10); rest%10 != 0 {
		out = append(out, '0'+rest%10)
	}
	return out
}

func (w *jsonWriter[U]) object(p uintptr, depth int) bool {
	switch o := at[lib.TJSObject](p); int(o.Fclass_id) {
	case lib.EJS_CLASS_ARRAY:
		return w.array(p, depth)
	case lib.EJS_CLASS_OBJECT:
		if flagsOf(p)&exotic != 0 {
			return false
		}
		s := w.shaped(o.Fshape)
		return s.known && w.members(o.Fprop, s.fields, depth)
	}
	return false
}

func (w *jsonWriter[U]) members(properties uintptr, fields []field[U], depth int) bool {
	comma := false
	w.out = append(w.out, '{')
	for _, f := range fields {
		v := *at[value](properties + uintptr(f.index*propertySize))
		if isUndefined(v) {
			continue
		}
		if !w.grow(len(f.name) + 2) {
			return false
		}
		if comma {
			w.out = append(w.out, ',')
		}
		comma = true
		w.out = append(w.out, f.name...)
		if !w.value(v, depth+1) {
			return false
		}
	}
	return w.end('}')
}

func (w *jsonWriter[U]) array(p uintptr, depth int) bool {
	o := at[lib.TJSObject](p)
	if flagsOf(p)&fastArray == 0 || o.Fshape != at[lib.TJSContext](w.m.ctx).Farray_shape || !w.arraysArePlain() {
		return false
	}
	e := elementsOf(p)
	if length := *at[value](o.Fprop); length.Ftag != lib.EJS_TAG_INT || asInt(length) != int(e.count) {
		return false
	}
	w.out = append(w.out, '[')
	for i := range int(e.count) {
		v := *at[value](e.values + uintptr(i)*valueSize)
		if isUndefined(v) {
			v.Ftag = lib.EJS_TAG_NULL
		}
		if i > 0 {
			w.out = append(w.out, ',')
		}
		if !w.value(v, depth+1) {
			return false
		}
	}
	return w.end(']')
}

// end writes what a value ends with, and leaves room for a comma behind it.
func (w *jsonWriter[U]) end(with U) bool {
	if !w.grow(2) {
		return false
	}
	w.out = append(w.out, with)
	return true
}

// shaped tells how objects of a shape are written.
func (w *jsonWriter[U]) shaped(shape uintptr) *writing[U] {
	if w.last != nil && w.last.shape == shape {
		return w.last
	}
	s := w.shapes[shape]
	if s == nil {
		s = &writing[U]{shape: shape}
		s.known = w.learn(s)
		if w.shapes == nil {
			w.shapes = map[uintptr]*writing[U]{}
		}
		if len(w.shapes) < maxNodes {
			w.shapes[shape] = s
		}
	}
	w.last = s
	return s
}

// learn finds out which properties of a shape are written, and reports whether
// it is known how: none is found by code, and none sorts before others.
func (w *jsonWriter[U]) learn(s *writing[U]) bool {
	if !w.isPlain(at[lib.TJSShape](s.shape).Fproto) {
		return false
	}
	properties := propertiesOf(s.shape)
	s.fields = make([]field[U], 0, len(properties))
	for i, p := range properties {
		if p.Fatom == lib.MJS_ATOM_NULL {
			continue // deleted
		}
		flags := p.F__ccgo0 >> propertyFlags
		if p.Fatom&taggedInt != 0 || flags&lib.MJS_PROP_TMASK != 0 {
			return false
		}
		text := w.m.textAtom(p.Fatom)
		if flags&lib.MJS_PROP_ENUMERABLE == 0 || *at[uint32](text + 4)>>atomType != lib.EJS_ATOM_TYPE_STRING {
			continue
		}
		if startsWithDigit(text) {
			return false
		}
		begin := len(w.out)
		if !w.quoted(tagged(lib.EJS_TAG_STRING, uint64(text))) || !w.grow(1) {
			return false
		}
		s.fields = append(s.fields, field[U]{i, append(slices.Clone(w.out[begin:]), ':')})
		w.out = w.out[:begin]
	}
	return true
}

// startsWithDigit reports whether a string could be an index, which sorts before
// the names.
func startsWithDigit(text uintptr) bool {
	n, wide := textLength(text)
	if n == 0 || wide {
		return false
	}
	first := unitsOf[uint8](text, 1)[0]
	return first >= '0' && first <= '9'
}

// maxPrototypes is how many prototypes are looked at.
const maxPrototypes = 8

// isPlain reports whether an object of this prototype has no toJSON, without
// that code is asked.
func (w *jsonWriter[U]) isPlain(prototype uintptr) bool {
	for range maxPrototypes {
		if prototype == 0 {
			return true
		}
		o := at[lib.TJSObject](prototype)
		if flagsOf(prototype)&exotic != 0 && int(o.Fclass_id) != lib.EJS_CLASS_ARRAY {
			return false
		}
		for _, p := range propertiesOf(o.Fshape) {
			if p.Fatom == lib.EJS_ATOM_toJSON {
				return false
			}
		}
		prototype = at[lib.TJSShape](o.Fshape).Fproto
	}
	return false
}

// arraysArePlain reports whether the prototype that arrays have has no toJSON.
func (w *jsonWriter[U]) arraysArePlain() bool {
	if !w.arraysKnown {
		w.arraysKnown = true
		w.arrays = w.isPlain(at[lib.TJSShape](at[lib.TJSContext](w.m.ctx).Farray_shape).Fproto)
	}
	return w.arrays
}
