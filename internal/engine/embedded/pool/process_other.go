//go:build !linux

package pool

import "syscall"

func attributes() *syscall.SysProcAttr { return nil }

// resident cannot be told here.
func resident(int) int64 { return 0 }

// relax does nothing: when threads are woken is up to the system.
func relax() {}
