//go:build unsynced

package store

import "os"

// The build that nobody must use: it acknowledges what is only in the memory of
// the kernel. The power-cut tests build it to prove that they would see that.

const synchronous = "off"

func syncFile(*os.File) error { return nil }
