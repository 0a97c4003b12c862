//go:build amd64 || arm64

package realm

import (
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"
)

// arrayFinalizer is what the engine calls when an array ends.
type arrayFinalizer = func(tls *libc.TLS, rt uintptr, array value)

// quickFreeing puts a way of ours before the engine's freeing of what an array
// holds. Plain objects and arrays that nobody else holds are given back at once;
// all others are left to the engine.
func (m *Machine) quickFreeing() {
	class := at[lib.TJSClass](at[lib.TJSRuntime](m.rt).Fclass_array + uintptr(lib.EJS_CLASS_ARRAY)*unsafe.Sizeof(lib.TJSClass{}))
	address := class.Ffinalizer
	original := *(*arrayFinalizer)(unsafe.Pointer(&address))
	finalizer := func(tls *libc.TLS, rt uintptr, array value) {
		// In a search for garbage, objects that hold each other end in an order of
		// the engine's.
		if at[lib.TJSRuntime](rt).F__ccgo1184 == lib.EJS_GC_PHASE_REMOVE_CYCLES {
			original(tls, rt, array)
			return
		}
		f := freeing{m: m}
		f.elements(pointer(array), 0)
	}
	m.closures = append(m.closures, finalizer)
	class.Ffinalizer = function(finalizer)
}

// freeing frees values that nobody holds any more.
type freeing struct {
	m *Machine
	// shape is the last one whose objects have nothing but values, which are so many.
	shape uintptr
	count int
}

// maxFreeing is how deep values are freed by us.
const maxFreeing = 64

// elements frees what an array holds.
func (f *freeing) elements(array uintptr, depth int) {
	e := elementsOf(array)
	for _, v := range valuesAt(e.values, int(e.count)) {
		f.drop(v, depth)
	}
	if e.values != 0 {
		f.m.give(e.values)
	}
}

// drop lets go of a value.
func (f *freeing) drop(v value, depth int) {
	if v.Ftag >= 0 {
		return // it is no block of memory
	}
	p := pointer(v)
	count := references(p)
	switch {
	case *count > 1:
		*count--
	case v.Ftag == lib.EJS_TAG_STRING && *at[uint32](p + 4)>>atomType == 0:
		f.m.give(p)
	case v.Ftag == lib.EJS_TAG_OBJECT && depth < maxFreeing && f.isPlain(p):
		f.object(p, depth)
	default:
		f.m.free(v)
	}
}

// isPlain reports whether an object ends without that anybody is told, and
// without its shape.
func (f *freeing) isPlain(p uintptr) bool {
	o := at[lib.TJSObject](p)
	if class := int(o.Fclass_id); class != lib.EJS_CLASS_OBJECT && class != lib.EJS_CLASS_ARRAY {
		return false
	}
	if o.Fweakref_count != 0 || *references(o.Fshape) <= 1 {
		return false
	}
	if o.Fshape == f.shape {
		return true
	}
	properties := propertiesOf(o.Fshape)
	for _, property := range properties {
		if property.F__ccgo0>>propertyFlags&lib.MJS_PROP_TMASK != 0 {
			return false
		}
	}
	f.shape, f.count = o.Fshape, len(properties)
	return true
}

// object frees a plain object.
func (f *freeing) object(p uintptr, depth int) {
	o := at[lib.TJSObject](p)
	// First of all, for an object inside that has the same shape to see whether it
	// is the last one.
	*references(o.Fshape)--
	properties := o.Fprop
	for _, v := range valuesAt(properties, f.count) {
		f.drop(v, depth+1)
	}
	f.m.give(properties)
	if int(o.Fclass_id) == lib.EJS_CLASS_ARRAY {
		f.elements(p, depth+1)
	}
	at[lib.Tlist_head](o.Fheader.Flink.Fprev).Fnext = o.Fheader.Flink.Fnext
	at[lib.Tlist_head](o.Fheader.Flink.Fnext).Fprev = o.Fheader.Flink.Fprev
	f.m.give(p)
}
