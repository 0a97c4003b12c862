//go:build amd64 || arm64

package realm

import (
	"math"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"
)

// The engine keeps small blocks of one size together, with a list of those that
// are free. Taking and giving back the first of a list is done here; lists that
// begin or end are left to the engine.
const (
	// blockHead is how many bytes stand before a block.
	blockHead = unsafe.Sizeof(lib.TJSMallocBlockHeader{})
	// groupHead is how many bytes stand before the blocks of a group.
	groupHead = unsafe.Sizeof(lib.TJSMallocArena{})
	// smallest is the size of the first kind of blocks, their heads included. The
	// next kinds are larger by step each, to largest.
	smallest, step, largest = 16, 8, 128
	kinds                   = (largest-smallest)/step + 1
)

// blockSize is the size of the blocks of a kind, their heads included.
func blockSize(kind uintptr) uintptr { return smallest + step*kind }

// take returns a block of size bytes; 0, and an exception is pending, when there
// is no memory.
func (m *Machine) take(size uintptr) uintptr {
	whole := max((size+step-1)&^(step-1)+blockHead, smallest)
	if size == 0 || whole > largest {
		return lib.Xjs_malloc(m.tls, m.ctx, libc.Tsize_t(size))
	}
	kind := (whole - smallest) / step
	lists := &at[lib.TJSMallocContext](m.rt).Ffree_arena_list
	first := lists[kind].Fnext
	group := at[lib.TJSMallocArena](first)
	if first == uintptr(unsafe.Pointer(&lists[kind])) || group.Fn_used_blocks+1 == group.Fn_blocks {
		return lib.Xjs_malloc(m.tls, m.ctx, libc.Tsize_t(size))
	}
	head := first + groupHead + uintptr(group.Ffirst_free_block)*blockSize(kind)
	number := at[uint16](head)
	*number, group.Ffirst_free_block = group.Ffirst_free_block, *number
	group.Fn_used_blocks++
	return head + blockHead
}

// give gives a block back.
func (m *Machine) give(p uintptr) {
	head := at[lib.TJSMallocBlockHeader](p - blockHead)
	kind, number := uintptr(head.Fblock_size_idx), head.Fu.Fblock_idx
	if number == math.MaxUint16 || kind >= kinds {
		lib.Xjs_free(m.tls, m.ctx, p)
		return
	}
	group := at[lib.TJSMallocArena](p - blockHead - uintptr(number)*blockSize(kind) - groupHead)
	if group.Fn_used_blocks == group.Fn_blocks || group.Fn_used_blocks == 1 {
		lib.Xjs_free(m.tls, m.ctx, p)
		return
	}
	head.Fu.Fblock_idx, group.Ffirst_free_block = group.Ffirst_free_block, number
	group.Fn_used_blocks--
}

// copyObject makes an object that is like another one but for its properties,
// which are memory for as many values as its shape has room for. It may be that
// of a kind that holds nothing beside its properties. It returns 0, and an
// exception is pending, when there is no memory.
func (m *Machine) copyObject(like uintptr) uintptr {
	p := m.take(unsafe.Sizeof(lib.TJSObject{}))
	if p == 0 {
		return 0
	}
	o := at[lib.TJSObject](p)
	*o = *at[lib.TJSObject](like)
	shape := o.Fshape
	if o.Fprop = m.take(uintptr(int(at[lib.TJSShape](shape).Fprop_size) * propertySize)); o.Fprop == 0 {
		m.give(p)
		return 0
	}
	*references(shape)++
	*references(p) = 1
	at[lib.TJSMallocBlockHeader](p - blockHead).F__ccgo3 = 0 // an object, not marked
	all := &at[lib.TJSRuntime](m.rt).Fgc_obj_list
	o.Fheader.Flink = lib.Tlist_head{Fprev: all.Fprev, Fnext: uintptr(unsafe.Pointer(all))}
	at[lib.Tlist_head](all.Fprev).Fnext = p
	all.Fprev = p
	return p
}
