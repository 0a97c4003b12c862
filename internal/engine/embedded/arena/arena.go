package arena

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"unsafe"
)

// A block is a header followed by its payload. The header has the payload's
// size, with a flag in the lowest bit, and the offset of the block before it.
// A free block's payload begins with the offsets of the next and the previous
// free block of its class.
const (
	align      = 16
	headerSize = 16
	minPayload = 16
	freeBit    = 1
	none       = ^uint64(0)

	slots     = 16 // classes per power of two
	firstBits = 8  // payloads below 1<<firstBits share the first row
	rows      = 32
)

// Arena is a region of memory and what is allocated in it. Addresses are
// absolute; zero stands for "no memory".
type Arena struct {
	mem  []byte
	base uintptr
	// touched is the end of what was written since the region was last given
	// back to the system.
	touched int
	control
}

// control is the allocator's state outside of the region.
type control struct {
	rows  uint32
	slots [rows]uint16
	heads [rows][slots]uint64
	used  int
	limit int
	// top is the end of the last header that was written: nothing above it
	// was ever allocated.
	top       int
	exhausted bool
}

// New returns an empty arena of size bytes. The memory is taken from the
// system as it is touched.
func New(size int) (*Arena, error) {
	size &^= align - 1
	mem, err := reserve(size)
	if err != nil {
		return nil, fmt.Errorf("reserve %d bytes: %w", size, err)
	}
	a := &Arena{mem: mem, base: uintptr(unsafe.Pointer(&mem[0]))}
	for r := range a.heads {
		for s := range a.heads[r] {
			a.heads[r][s] = none
		}
	}
	a.limit = size
	a.setHeader(0, uint64(size-headerSize), true, none)
	a.insert(0)
	return a, nil
}

// Close gives the region back to the system.
func (a *Arena) Close() error { return release(a.mem) }

// SetLimit bounds what may be allocated on top of what is: n bytes. It forgets
// that an earlier bound was met.
func (a *Arena) SetLimit(n int) {
	a.limit = min(a.used+n, len(a.mem))
	a.exhausted = false
}

// Exhausted reports whether an allocation failed since SetLimit.
func (a *Arena) Exhausted() bool { return a.exhausted }

// Used is the number of bytes allocated.
func (a *Arena) Used() int { return a.used }

// Alloc returns the address of n bytes with unknown content, or zero when they
// are not to be had.
func (a *Arena) Alloc(n uint64) uintptr {
	size := a.roundUp(n)
	if a.used+int(size)+headerSize > a.limit {
		a.exhausted = true
		return 0
	}
	h, ok := a.take(size)
	if !ok {
		a.exhausted = true
		return 0
	}
	a.trim(h, size)
	a.used += int(a.size(h)) + headerSize
	return a.address(h)
}

// Free gives memory back. Freeing the zero address does nothing.
func (a *Arena) Free(p uintptr) {
	if p == 0 {
		return
	}
	h := a.header(p)
	a.used -= int(a.size(h)) + headerSize
	a.merge(h)
}

// Realloc changes the size of an allocation, keeping its content, and returns
// where it is now; zero, and the old one untouched, when there is no memory.
func (a *Arena) Realloc(p uintptr, n uint64) uintptr {
	h, size := a.header(p), a.roundUp(n)
	old := a.size(h)
	if size <= old {
		a.shrink(h, size)
		return p
	}
	if a.used+int(size-old) > a.limit {
		a.exhausted = true
		return 0
	}
	if a.grow(h, size) {
		return p
	}
	q := a.Alloc(n)
	if q == 0 {
		return 0
	}
	copy(a.payload(a.header(q)), a.payload(h))
	a.Free(p)
	return q
}

// Size is the number of bytes that can be used at p.
func (a *Arena) Size(p uintptr) uint64 {
	if p == 0 {
		return 0
	}
	return a.size(a.header(p))
}

// roundUp is the payload that n bytes take; for sizes that cannot be had, one
// that cannot be had either and does not overflow.
func (a *Arena) roundUp(n uint64) uint64 {
	n = min(n, uint64(len(a.mem)))
	return max(minPayload, (n+align-1)&^(align-1))
}

// take removes a free block of at least size bytes from its list.
func (a *Arena) take(size uint64) (uint64, bool) {
	r, s := classAbove(size)
	if r >= rows {
		return 0, false
	}
	candidates := a.slots[r] &^ (1<<s - 1)
	if candidates == 0 {
		above := a.rows &^ (1<<(r+1) - 1)
		if above == 0 {
			return 0, false
		}
		r = bits.TrailingZeros32(above)
		candidates = a.slots[r]
	}
	h := a.heads[r][bits.TrailingZeros16(candidates)]
	a.remove(h)
	return h, true
}

// trim marks h as taken and splits off what is above size.
func (a *Arena) trim(h, size uint64) {
	have := a.size(h)
	if have < size+headerSize+minPayload {
		a.setHeader(h, have, false, a.previous(h))
		a.reach(h + headerSize + have)
		return
	}
	a.setHeader(h, size, false, a.previous(h))
	rest := h + headerSize + size
	a.setHeader(rest, have-size-headerSize, true, h)
	a.setPrevious(a.next(rest), rest)
	a.insert(rest)
}

// merge makes h free, together with free neighbours.
func (a *Arena) merge(h uint64) {
	size, before := a.size(h), a.previous(h)
	if n := a.next(h); n < uint64(len(a.mem)) && a.isFree(n) {
		a.remove(n)
		size += headerSize + a.size(n)
	}
	if before != none && a.isFree(before) {
		a.remove(before)
		size += headerSize + a.size(before)
		h, before = before, a.previous(before)
	}
	a.setHeader(h, size, true, before)
	a.setPrevious(a.next(h), h)
	a.insert(h)
}

// grow extends h into a free neighbour above it.
func (a *Arena) grow(h, size uint64) bool {
	n, old := a.next(h), a.size(h)
	if n >= uint64(len(a.mem)) || !a.isFree(n) || old+headerSize+a.size(n) < size {
		return false
	}
	a.remove(n)
	a.setHeader(h, old+headerSize+a.size(n), false, a.previous(h))
	a.setPrevious(a.next(h), h)
	a.trim(h, size)
	a.used += int(a.size(h) - old)
	return true
}

func (a *Arena) shrink(h, size uint64) {
	old := a.size(h)
	if old < size+headerSize+minPayload {
		return
	}
	a.setHeader(h, size, false, a.previous(h))
	rest := h + headerSize + size
	a.setHeader(rest, old-size-headerSize, false, h)
	a.setPrevious(a.next(rest), rest)
	a.used -= int(old - size)
	a.merge(rest)
}

// class is the list that a free block of this size is in.
func class(size uint64) (row, slot int) {
	if size < 1<<firstBits {
		return 0, int(size / align)
	}
	log := bits.Len64(size) - 1
	return log - firstBits + 1, int(size>>(log-4)) & (slots - 1)
}

// classAbove is the lowest list all of whose blocks have at least this size.
func classAbove(size uint64) (row, slot int) {
	if size >= 1<<firstBits {
		log := bits.Len64(size) - 1
		size += 1<<(log-4) - 1
	}
	return class(size)
}

func (a *Arena) insert(h uint64) {
	r, s := class(a.size(h))
	head := a.heads[r][s]
	a.put(h+headerSize, head)
	a.put(h+headerSize+8, none)
	if head != none {
		a.put(head+headerSize+8, h)
	}
	a.heads[r][s] = h
	a.slots[r] |= 1 << s
	a.rows |= 1 << r
	a.reach(h + headerSize + minPayload)
}

func (a *Arena) remove(h uint64) {
	r, s := class(a.size(h))
	next, prev := a.get(h+headerSize), a.get(h+headerSize+8)
	if next != none {
		a.put(next+headerSize+8, prev)
	}
	if prev != none {
		a.put(prev+headerSize, next)
		return
	}
	a.heads[r][s] = next
	if next == none {
		a.slots[r] &^= 1 << s
		if a.slots[r] == 0 {
			a.rows &^= 1 << r
		}
	}
}

// reach notes that memory below end may have been written.
func (a *Arena) reach(end uint64) { a.top = max(a.top, int(end)) }

func (a *Arena) get(at uint64) uint64     { return binary.LittleEndian.Uint64(a.mem[at:]) }
func (a *Arena) put(at, v uint64)         { binary.LittleEndian.PutUint64(a.mem[at:], v) }
func (a *Arena) size(h uint64) uint64     { return a.get(h) &^ freeBit }
func (a *Arena) isFree(h uint64) bool     { return a.get(h)&freeBit != 0 }
func (a *Arena) previous(h uint64) uint64 { return a.get(h + 8) }
func (a *Arena) next(h uint64) uint64     { return h + headerSize + a.size(h) }

func (a *Arena) setPrevious(h, previous uint64) {
	if h < uint64(len(a.mem)) {
		a.put(h+8, previous)
	}
}

func (a *Arena) setHeader(h, size uint64, free bool, previous uint64) {
	if free {
		size |= freeBit
	}
	a.put(h, size)
	a.put(h+8, previous)
}

func (a *Arena) payload(h uint64) []byte  { return a.mem[h+headerSize : a.next(h)] }
func (a *Arena) address(h uint64) uintptr { return a.base + uintptr(h) + headerSize }
func (a *Arena) header(p uintptr) uint64  { return uint64(p-a.base) - headerSize }
