package realm

import (
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"

	"github.com/usefloww/flowwd/internal/engine/embedded/arena"
)

// Most programs do the same whenever their top level runs: they register triggers
// and make functions. Such a quiet top level runs once, and all runs begin with
// what it left. One that asks for the time, for randomness or for anything else of
// the world outside, and be it to log a line, runs each time.

// maxQuiet bounds the memory that a top level leaves to all runs, in bytes:
// putting much of it back would cost more than running it.
const maxQuiet = 4 << 20

// silent are the host's functions whose answer depends on their arguments alone.
var silent = map[string]bool{"kind": true}

// clockFunc is a function of the engine that reads the clock.
type clockFunc = func(tls *libc.TLS, ctx uintptr, this value, argc int32, argv uintptr) value

// watchClock notes when code reads the clock.
func (m *Machine) watchClock() error {
	date, err := m.property(lib.XJS_GetGlobalObject(m.tls, m.ctx), "Date")
	if err != nil {
		return err
	}
	now, err := m.property(date, "now")
	if err != nil {
		return err
	}
	for _, of := range []value{date, now} {
		// The engine's object has its C function behind a pointer to its realm.
		place := at[uintptr](uintptr(payload(of)) + unsafe.Offsetof(lib.TJSObject{}.Fu) + unsafe.Sizeof(uintptr(0)))
		address := *place
		original := *(*clockFunc)(unsafe.Pointer(&address))
		watched := func(tls *libc.TLS, ctx uintptr, this value, argc int32, argv uintptr) value {
			m.loud = true
			return original(tls, ctx, this, argc, argv)
		}
		m.closures = append(m.closures, watched)
		*place = function(watched)
	}
	return nil
}

// property reads a property that is there.
func (m *Machine) property(of value, name string) (value, error) {
	cName, err := cString(m.tls, name)
	if err != nil {
		return value{}, err
	}
	defer libc.Xfree(m.tls, cName)
	v := lib.XJS_GetPropertyStr(m.tls, m.ctx, of, cName)
	if isException(v) {
		return v, m.failed("read " + name)
	}
	return v, nil
}

// settleTop runs the program's top level, unless the realm has what it left.
func (m *Machine) settleTop(p *Program) error {
	if p.begun {
		return nil
	}
	random := at[lib.TJSContext](m.ctx).Frandom_state
	if err := m.topLevel(); err != nil {
		return err
	}
	quiet := !m.loud && random == at[lib.TJSContext](m.ctx).Frandom_state && len(m.rejections) == 0 && !m.memory.Exhausted()
	if quiet && !p.known {
		if left := m.memory.Snapshot(); left.Size() <= maxQuiet {
			p.begin(left)
		}
	}
	p.known = true
	return nil
}

// begin has all further runs begin with what the top level left. It counts as
// theirs still.
func (p *Program) begin(left *arena.Snapshot) {
	p.left = left.Used() - p.snap.Used()
	p.snap, p.begun = left, true
}
