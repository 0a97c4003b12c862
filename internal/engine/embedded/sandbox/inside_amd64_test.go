package sandbox_test

import "golang.org/x/sys/unix"

// archEscapes are the calls of this architecture only.
func archEscapes() map[string]escape {
	return map[string]escape{
		"open":           {unix.SYS_OPEN, [6]uintptr{path("/etc/hostname")}},
		"creat":          {unix.SYS_CREAT, [6]uintptr{path("/tmp/x"), 0o600}},
		"stat by path":   {unix.SYS_STAT, [6]uintptr{path("/")}},
		"fork itself":    {unix.SYS_FORK, [6]uintptr{}},
		"vfork itself":   {unix.SYS_VFORK, [6]uintptr{}},
		"i/o ports":      {unix.SYS_IOPL, [6]uintptr{3}},
		"segments":       {unix.SYS_MODIFY_LDT, [6]uintptr{0}},
		"unlink by path": {unix.SYS_UNLINK, [6]uintptr{path("/tmp/x")}},
	}
}
