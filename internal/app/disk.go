package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/fault"
)

// checkFile is the file by which the server sees whether it can write. checkSize
// is more than what file systems put beside a file's name.
const (
	checkFile = ".check"
	checkSize = 64 << 10
)

// checkWritable says whether the data folder takes another file. The database's
// own answer is not enough: it has room of its own for a while on a full disk.
func (s *Server) checkWritable(context.Context) error {
	path := filepath.Join(s.config.Settings.DataDir, checkFile)
	err := os.WriteFile(path, make([]byte, checkSize), 0o600)
	if err = errors.Join(err, os.Remove(path)); err != nil {
		return fault.Because(err, fault.Unavailable, "the data folder can't be written to: its disk is full, it is read-only, or the server has too many files open")
	}
	return nil
}

// freeSpace is what is free on the disk of the data folder, in bytes; -1 when
// that can't be told.
func (s *Server) freeSpace() float64 {
	free, _, err := diskOf(config.DataDir(s.config.Settings.DataDir))
	if err != nil {
		return -1
	}
	return float64(free)
}
