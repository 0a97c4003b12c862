package realm

import (
	_ "embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"

	"github.com/usefloww/flowwd/internal/engine/embedded/arena"
)

// Version is the version that bytecode belongs to: bytecode of another one is
// made anew from the bundle.
const Version = "quickjs-2026-06-04"

// BridgeVersion is the newest version of the calls that a bundle makes to its
// host. A machine speaks every version since 1.
const BridgeVersion = 2

//go:embed prelude.js
var prelude []byte

// overhead is the memory of a machine beside what user code may allocate: the
// realm itself and the space between blocks.
const overhead = 8 << 20

// Machine runs programs, one at a time. It is not safe for concurrent use.
type Machine struct {
	memory *arena.Arena
	// size is the most that a program may allocate, in bytes.
	size int64
	base *arena.Snapshot
	// ready is what the memory holds at the moment; nil when a run used it.
	ready *arena.Snapshot
	tls   *libc.TLS
	rt    uintptr
	ctx   uintptr
	names names
	entry entry
	began time.Time
	// units is the bytecode of the units that were compiled so far.
	units map[string][]byte
	// closures keeps alive what the engine has pointers to.
	closures []any

	*run
}

// names are texts that the engine needs as C strings.
type names struct{ bundle, prelude, json uintptr }

// entry are the functions of the prelude.
type entry struct {
	declared, identify, start, encode, wait, fire, describe, reply, warm, form value
}

// New returns a machine whose programs may allocate up to memory bytes.
func New(memory int64) (*Machine, error) {
	space, err := arena.New(int(memory + memory/8 + overhead))
	if err != nil {
		return nil, err
	}
	m := &Machine{memory: space, size: memory, tls: libc.NewTLS(), began: time.Now(), units: map[string][]byte{}, run: &run{}}
	if err := m.start(); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	m.base = space.Snapshot()
	return m, nil
}

// Close frees the machine's memory.
func (m *Machine) Close() error {
	for _, p := range []uintptr{m.names.bundle, m.names.prelude, m.names.json} {
		if p != 0 {
			libc.Xfree(m.tls, p)
		}
	}
	m.tls.Close()
	return m.memory.Close()
}

// start makes the runtime, and the realm that all others are copies of.
func (m *Machine) start() error {
	for name, p := range map[string]*uintptr{bundleName: &m.names.bundle, preludeName: &m.names.prelude, "JSON": &m.names.json} {
		var err error
		if *p, err = cString(m.tls, name); err != nil {
			return err
		}
	}
	if m.rt = m.newRuntime(); m.rt == 0 {
		return errors.New("make a JavaScript runtime: no memory")
	}
	lib.XJS_SetStripInfo(m.tls, m.rt, lib.MJS_STRIP_SOURCE)
	m.hooks()
	if m.ctx = lib.XJS_NewContext(m.tls, m.rt); m.ctx == 0 {
		return errors.New("make a JavaScript context: no memory")
	}
	if err := m.watchClock(); err != nil {
		return err
	}
	m.quickFreeing()
	if err := m.quickJSON(); err != nil {
		return err
	}
	return m.runPrelude()
}

func (m *Machine) runPrelude() error {
	source, err := cString(m.tls, prelude)
	if err != nil {
		return err
	}
	defer libc.Xfree(m.tls, source)
	fn := lib.XJS_Eval(m.tls, m.ctx, source, libc.Tsize_t(len(prelude)), m.names.prelude, lib.MJS_EVAL_TYPE_GLOBAL)
	if isException(fn) {
		return m.failed("compile the prelude")
	}
	host, err := m.hostObject()
	if err != nil {
		return err
	}
	list := m.call(fn, host)
	if isException(list) {
		return m.failed("run the prelude")
	}
	e := &m.entry
	for i, to := range []*value{&e.declared, &e.identify, &e.start, &e.encode, &e.wait, &e.fire, &e.describe, &e.reply, &e.warm, &e.form} {
		*to = lib.XJS_GetPropertyUint32(m.tls, m.ctx, list, uint32(i))
	}
	return nil
}

// failed is the pending exception of our own code as an error.
func (m *Machine) failed(what string) error {
	text, ok := m.text(m.exception())
	if !ok {
		text = "no memory"
	}
	return fmt.Errorf("%s: %s", what, text)
}

// newRuntime makes a runtime that allocates from the arena.
func (m *Machine) newRuntime() uintptr {
	count := func(state uintptr, blocks, bytes int) {
		s := at[lib.TJSMallocState](state)
		s.Fmalloc_count += libc.Tsize_t(blocks)
		s.Fmalloc_size += libc.Tsize_t(bytes)
	}
	alloc := func(_ *libc.TLS, state uintptr, n libc.Tsize_t) uintptr {
		p := m.memory.Alloc(uint64(n))
		if p == 0 {
			return m.refuse()
		}
		count(state, 1, int(m.memory.Size(p)))
		return p
	}
	free := func(_ *libc.TLS, state, p uintptr) {
		if p != 0 {
			count(state, -1, -int(m.memory.Size(p)))
			m.memory.Free(p)
		}
	}
	realloc := func(tls *libc.TLS, state, p uintptr, n libc.Tsize_t) uintptr {
		switch {
		case p == 0 && n == 0:
			return 0
		case p == 0:
			return alloc(tls, state, n)
		case n == 0:
			free(tls, state, p)
			return 0
		}
		old := int(m.memory.Size(p))
		q := m.memory.Realloc(p, uint64(n))
		if q == 0 {
			return m.refuse()
		}
		count(state, 0, int(m.memory.Size(q))-old)
		return q
	}
	size := func(_ *libc.TLS, p uintptr) libc.Tsize_t { return libc.Tsize_t(m.memory.Size(p)) }
	m.closures = append(m.closures, alloc, free, realloc, size)

	const tableSize = 4 * 8
	table := m.tls.Alloc(tableSize)
	defer m.tls.Free(tableSize)
	*at[lib.TJSMallocFunctions](table) = lib.TJSMallocFunctions{
		Fjs_malloc:             function(alloc),
		Fjs_free:               function(free),
		Fjs_realloc:            function(realloc),
		Fjs_malloc_usable_size: function(size),
	}
	return lib.XJS_NewRuntime2(m.tls, table, 0)
}

// refuse is the answer to an allocation that fails. It makes the engine ask the
// interrupt hook as soon as it can, because code that catches the error could go
// on for long.
func (m *Machine) refuse() uintptr {
	if m.ctx != 0 {
		at[lib.TJSContext](m.ctx).Finterrupt_counter = 1
	}
	return 0
}

// hooks tells the runtime whom to ask: whether to go on, what to do with a
// dynamic import and with a rejection that nobody handles.
func (m *Machine) hooks() {
	interrupt := func(*libc.TLS, uintptr, uintptr) int32 {
		if m.memory.Exhausted() {
			return 1
		}
		if m.tick != nil {
			m.tick()
		}
		return 0
	}
	load := func(tls *libc.TLS, ctx, _, _ uintptr) uintptr {
		m.throwTypeError("import() is not available: everything that a workflow imports is bundled when it is deployed")
		return 0
	}
	rejected := func(_ *libc.TLS, _ uintptr, promise, reason value, handled int32, _ uintptr) {
		if handled != 0 {
			delete(m.rejections, payload(promise))
			return
		}
		if m.rejections == nil {
			m.rejections = map[uint64]value{}
		}
		m.rejections[payload(promise)] = lib.XDupValue(m.tls, m.ctx, reason)
		lib.XDupValue(m.tls, m.ctx, promise) // its address must stay its own
	}
	m.closures = append(m.closures, interrupt, load, rejected)
	lib.XJS_SetInterruptHandler(m.tls, m.rt, function(interrupt), 0)
	lib.XJS_SetModuleLoaderFunc(m.tls, m.rt, 0, function(load), 0)
	lib.XJS_SetHostPromiseRejectionTracker(m.tls, m.rt, function(rejected), 0)
}

// reset puts a copy of the memory back and gives the realm its own randomness.
func (m *Machine) reset(to *arena.Snapshot, memory int64) error {
	if m.ready != to {
		if err := m.memory.Restore(to); err != nil {
			return fmt.Errorf("put the realm back: %w", err)
		}
	}
	m.ready = nil
	m.memory.SetLimit(int(memory))
	at[lib.TJSContext](m.ctx).Frandom_state = max(1, rand.Uint64())
	return nil
}
