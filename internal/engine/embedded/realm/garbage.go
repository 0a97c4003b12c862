package realm

import (
	"modernc.org/libc"
	lib "modernc.org/libquickjs"
)

// Only objects that hold each other are garbage that must be looked for; all
// others end when nobody holds them. The engine looks as soon as there are 256 KB,
// and each look follows everything that lives: a handler that keeps 1 MB of JSON
// would pay as much for it as for reading it. What a run leaves behind ends with
// its realm in any case.
const (
	// garbageShare is the part of a run's memory that it may fill before it is
	// looked for garbage. From four shares on the engine's own rule, which waits for
	// half of what lives, is the more patient one.
	garbageShare = 8
	minGarbage   = 256 << 10
)

// tolerateGarbage lets a handler that may allocate so many bytes fill a share of
// them before the engine looks for garbage. It is not for the top level: a
// snapshot is made of what that leaves, and is copied for each run.
func (m *Machine) tolerateGarbage(memory int64) {
	share := max(minGarbage, min(memory, m.size)/garbageShare)
	lib.XJS_SetGCThreshold(m.tls, m.rt, libc.Tsize_t(int64(m.memory.Used())+share))
}
