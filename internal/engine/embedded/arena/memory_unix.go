//go:build unix

package arena

import "golang.org/x/sys/unix"

const pageSize = 64 << 10 // a multiple of the page size of every system

func reserve(size int) ([]byte, error) {
	return unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_NORESERVE)
}

func release(mem []byte) error { return unix.Munmap(mem) }

// discard returns the memory behind mem to the system.
func discard(mem []byte) error { return unix.Madvise(mem, unix.MADV_DONTNEED) }
