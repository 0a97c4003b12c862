package sandbox

// Options say how tight a sandbox is.
type Options struct {
	// Data bounds the private memory of the process, in bytes, its programs'
	// static data included; 0 for no bound.
	Data uint64
	// MaxLandlock is the highest level of Landlock to use; 0 for the highest
	// that the kernel has. It exists to try what older kernels give.
	MaxLandlock int
}

// Status says what holds the process.
type Status struct {
	// Landlock is the level in force.
	Landlock int
}
