//go:build !unix

package pool

// exit says how the process ended, once it has.
func (c *Child) exit() Exit { return Exit{Stderr: c.stderr.String()} }
