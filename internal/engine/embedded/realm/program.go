package realm

import (
	"errors"
	"fmt"

	lib "modernc.org/libquickjs"

	"github.com/usefloww/flowwd/internal/engine/embedded/arena"
)

const (
	bundleName  = "bundle.js"
	preludeName = "floww:prelude"
)

// SyntaxError is a fault in a program's source.
type SyntaxError struct {
	// Message says what is wrong.
	Message string
	// Stack tells where, as one frame in the bundle.
	Stack string
}

// Error returns the message.
func (e *SyntaxError) Error() string { return e.Message }

// Program is a program loaded into a machine.
type Program struct {
	// MapStack rewrites a stack to the original files; nil leaves it.
	MapStack func(stack string) string

	fn    value
	snap  *arena.Snapshot
	size  int
	index triggerIndex
	// begun says that snap is of after the top level, which left so many bytes;
	// known, that the top level has shown whether it is quiet.
	begun, known bool
	left         int
}

// Size is the memory that the loaded program takes, in bytes.
func (p *Program) Size() int { return p.size }

// Compile makes bytecode of a script. The error is a *SyntaxError when the
// script is at fault.
func (m *Machine) Compile(code []byte) ([]byte, error) {
	if err := m.reset(m.base, m.size); err != nil {
		return nil, err
	}
	m.run = &run{}
	fn := m.compile(code, m.names.bundle, 0)
	if isException(fn) {
		return nil, m.syntaxError()
	}
	bytecode, ok := m.write(fn)
	if !ok {
		return nil, m.failed("write the bytecode")
	}
	return bytecode, nil
}

func (m *Machine) syntaxError() error {
	if m.memory.Exhausted() {
		return &SyntaxError{Message: "compiling it takes more memory than is allowed"}
	}
	message, stack := m.describe(m.exception())
	return &SyntaxError{Message: message, Stack: stack}
}

// Load reads a program's bytecode. The machine trusts it: bytecode that another
// version or a stranger made may do anything that the process can.
func (m *Machine) Load(bytecode []byte) (*Program, error) {
	if err := m.reset(m.base, m.size); err != nil {
		return nil, err
	}
	m.run = &run{}
	if err := m.warm(bytecode); err != nil {
		return nil, err
	}
	fn := m.read(bytecode)
	if isException(fn) {
		if m.memory.Exhausted() {
			return nil, errors.New("the program takes more memory than is allowed")
		}
		return nil, m.failed("load the bytecode")
	}
	if fn.Ftag != lib.EJS_TAG_FUNCTION_BYTECODE {
		return nil, fmt.Errorf("load the bytecode: it holds a value of kind %d instead of a script", fn.Ftag)
	}
	snap := m.memory.Snapshot()
	return &Program{fn: fn, snap: snap, size: snap.Size()}, nil
}
