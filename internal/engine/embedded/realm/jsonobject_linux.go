//go:build amd64 || arm64

package realm

import (
	"bytes"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"
)

// Bounds of the keys that are remembered while a text is read: how many, and how
// many may follow the same one, among which they are looked for one by one.
const (
	maxNodes  = 4096
	maxBranch = 16
)

// keyNode is a key of objects, after the keys that lead to it from the root.
// Objects whose keys are the same in the same order have the same shape: the
// second one gets it, and its properties are not made one by one.
type keyNode struct {
	key    []byte
	atom   lib.TJSAtom
	parent *keyNode
	depth  int
	after  []*keyNode
	// sample is an object with these keys, which keeps the shape.
	sample value
}

// child is the node of a key after this one; nil when no more are remembered.
func (r *jsonReader) child(n *keyNode, key []byte) *keyNode {
	for _, c := range n.after {
		if bytes.Equal(c.key, key) {
			return c
		}
	}
	if len(n.after) == maxBranch || len(r.nodes) == maxNodes {
		return nil
	}
	atom := r.atom(key)
	if atom == lib.MJS_ATOM_NULL {
		return nil
	}
	c := &keyNode{key: key, atom: atom, parent: n, depth: n.depth + 1, sample: undefined()}
	n.after, r.nodes = append(n.after, c), append(r.nodes, c)
	return c
}

// atom is that of a key, a part of the text.
func (r *jsonReader) atom(key []byte) lib.TJSAtom {
	p := r.from + uintptr(cap(r.text)-cap(key))
	return lib.XJS_NewAtomLen(r.m.tls, r.m.ctx, p, libc.Tsize_t(len(key)))
}

// object makes the object whose brace was passed.
func (r *jsonReader) object(depth int) (value, bool) {
	first, firstAtom := r.values.n, len(r.atoms)
	node := r.root // nil as soon as a key has none
	if r.takes('}') {
		v := lib.XJS_NewObject(r.m.tls, r.m.ctx)
		return v, !isException(v)
	}
	for {
		node = r.key(node)
		if node == nil && len(r.atoms)-firstAtom != r.values.n-first+1 {
			return value{}, false
		}
		if !r.takes(':') {
			return value{}, false
		}
		v, ok := r.value(depth + 1)
		if !ok || !r.values.push(r.m, v) {
			return value{}, false
		}
		if r.takes('}') {
			return r.newObject(node, first, firstAtom)
		}
		if !r.takes(',') {
			return value{}, false
		}
	}
}

// key passes a key and returns its node. Without one it appends its atom, after
// those that had nodes; it appends none when there is no key.
func (r *jsonReader) key(n *keyNode) *keyNode {
	if !r.takes('"') {
		return nil
	}
	begin := r.at
	if n != nil && len(n.after) > 0 {
		// It is most often the one that followed first.
		likely := n.after[0]
		if end := begin + len(likely.key); end < len(r.text) && r.text[end] == '"' && string(r.text[begin:end]) == string(likely.key) {
			r.at = end + 1
			return likely
		}
	}
	r.pass()
	if r.at == len(r.text) {
		return nil
	}
	if r.text[r.at] == '"' {
		key := r.text[begin:r.at]
		r.at++
		if n != nil {
			if c := r.child(n, key); c != nil {
				return c
			}
			r.spell(n)
		}
		r.push(r.atom(key))
		return nil
	}
	if n != nil {
		r.spell(n)
	}
	if v, ok := r.unusualString(begin); ok {
		r.push(lib.XJS_ValueToAtom(r.m.tls, r.m.ctx, v))
		r.m.free(v)
	}
	return nil
}

func (r *jsonReader) push(a lib.TJSAtom) {
	if a != lib.MJS_ATOM_NULL {
		r.atoms = append(r.atoms, a)
	}
}

// spell appends the keys that lead to a node.
func (r *jsonReader) spell(n *keyNode) {
	begin := len(r.atoms)
	r.atoms = append(r.atoms, make([]lib.TJSAtom, n.depth)...)
	for ; n.depth > 0; n = n.parent {
		r.atoms[begin+n.depth-1] = lib.XJS_DupAtom(r.m.tls, r.m.ctx, n.atom)
	}
}

// newObject makes an object of the values from the first one on. Its keys are
// those that lead to a node, or the atoms from the first one on.
func (r *jsonReader) newObject(n *keyNode, first, firstAtom int) (value, bool) {
	if n != nil && n.sample.Ftag == lib.EJS_TAG_OBJECT {
		return r.alike(n.sample, first)
	}
	if n != nil {
		r.spell(n)
	}
	v := lib.XJS_NewObject(r.m.tls, r.m.ctx)
	if isException(v) {
		return value{}, false
	}
	values, atoms := r.values.from(first), r.atoms[firstAtom:]
	r.values.n, r.atoms = first, r.atoms[:firstAtom]
	ok := true
	for i, a := range atoms {
		// The object takes the value, in any case.
		ok = lib.XJS_DefinePropertyValue(r.m.tls, r.m.ctx, v, a, values[i], lib.MJS_PROP_C_W_E) >= 0 && ok
		lib.XJS_FreeAtom(r.m.tls, r.m.ctx, a)
	}
	if !ok {
		r.m.free(v)
		return value{}, false
	}
	shape := at[lib.TJSShape](at[lib.TJSObject](pointer(v)).Fshape)
	if n != nil && shape.Fis_hashed != 0 && int(shape.Fprop_count) == len(atoms) {
		n.sample = lib.XDupValue(r.m.tls, r.m.ctx, v)
	}
	return v, true
}

// alike makes an object of the shape of another one.
func (r *jsonReader) alike(sample value, first int) (value, bool) {
	p := r.m.copyObject(pointer(sample))
	if p == 0 {
		return value{}, false
	}
	values := r.values.from(first)
	copy(valuesAt(at[lib.TJSObject](p).Fprop, len(values)), values)
	r.values.n = first
	return tagged(lib.EJS_TAG_OBJECT, uint64(p)), true
}

// values is a stack of values in the engine's memory.
type values struct {
	p       uintptr
	n, size int
}

// push takes a value; there may be no memory, and then it is freed.
func (s *values) push(m *Machine, v value) bool {
	if s.n == s.size {
		size := max(64, 2*s.size)
		p := lib.Xjs_realloc(m.tls, m.ctx, s.p, libc.Tsize_t(size*int(valueSize)))
		if p == 0 {
			m.free(v)
			return false
		}
		s.p, s.size = p, size
	}
	*at[value](s.p + uintptr(s.n)*valueSize) = v
	s.n++
	return true
}

// from are the values from the first one on, valid until the next push.
func (s *values) from(first int) []value {
	if s.n == first {
		return nil
	}
	return valuesAt(s.p, s.n)[first:]
}

func (s *values) close(m *Machine) {
	for _, v := range s.from(0) {
		m.free(v)
	}
	if s.p != 0 {
		lib.Xjs_free(m.tls, m.ctx, s.p)
	}
}
