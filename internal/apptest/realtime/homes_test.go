//go:build !external

package realtime

func homes() []home { return []home{embeddedHome()} }
