//go:build !linux

package pgtest

import "syscall"

func attributes(*syscall.Credential) *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

func account() (*syscall.Credential, error) { return nil, nil }
