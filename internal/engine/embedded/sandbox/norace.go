//go:build !race

package sandbox

// instrumented says that the race detector is built in, whose shadow memory
// does not fit any bound.
const instrumented = false
