//go:build !unsynced

package store

import "os"

// synchronous is SQLite's setting that has each commit on disk when it returns.
const synchronous = "full"

// syncFile has what was written to a file, or the names in a folder, on disk
// when it returns.
func syncFile(f *os.File) error { return f.Sync() }
