//go:build external && linux

package powercut

import (
	"bytes"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// copyImage copies a sparse file through the page cache, where the loop device
// put what the file system wrote to it, and reports whether the original was
// the same before and after.
func copyImage(from, to string) (same bool, err error) {
	source, err := os.Open(from)
	if err != nil {
		return false, err
	}
	defer source.Close()
	target, err := os.Create(to)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	info, err := source.Stat()
	if err != nil {
		return false, err
	}
	if err := target.Truncate(info.Size()); err != nil {
		return false, err
	}
	err = eachPart(source, func(part []byte, at int64) error {
		_, err := target.WriteAt(part, at)
		return err
	})
	if err != nil {
		return false, err
	}
	same = true
	copied := make([]byte, partSize)
	err = eachPart(source, func(part []byte, at int64) error {
		n, err := io.ReadFull(io.NewSectionReader(target, at, int64(len(part))), copied[:len(part)])
		same = same && bytes.Equal(part, copied[:n])
		return err
	})
	return same, err
}

// partSize is how much is copied at once.
const partSize = 1 << 20

// eachPart calls do for each part of a file that is no hole.
func eachPart(f *os.File, do func(part []byte, at int64) error) error {
	buffer := make([]byte, partSize)
	for at := int64(0); ; {
		start, err := unix.Seek(int(f.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return nil // only a hole is left
		}
		if err != nil {
			return err
		}
		end, err := unix.Seek(int(f.Fd()), start, unix.SEEK_HOLE)
		if err != nil {
			return err
		}
		for at = start; at < end; {
			n, err := f.ReadAt(buffer[:min(partSize, end-at)], at)
			if n == 0 {
				return errors.Join(err, io.ErrUnexpectedEOF)
			}
			if err := do(buffer[:n], at); err != nil {
				return err
			}
			at += int64(n)
		}
	}
}
