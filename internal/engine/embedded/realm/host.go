package realm

import (
	"fmt"
	"strings"
	"time"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"

	"github.com/usefloww/flowwd/internal/engine"
)

// hostFunc is a function that the prelude calls.
type hostFunc func(args []value) value

// levels are in the order of the prelude's numbers.
var levels = [...]engine.Level{engine.LevelDebug, engine.LevelInfo, engine.LevelWarn, engine.LevelError, engine.LevelLog}

// hostObject makes the object that holds the host's functions. User code never
// gets it.
func (m *Machine) hostObject() (value, error) {
	host := lib.XJS_NewObject(m.tls, m.ctx)
	if isException(host) {
		return host, m.failed("make the host object")
	}
	units, modules, err := unitLists()
	if err != nil {
		return host, err
	}
	for name, text := range map[string]string{"units": units, "modules": modules} {
		if err := m.setProperty(host, name, m.newString(text)); err != nil {
			return host, err
		}
	}
	for _, functions := range []map[string]hostFunc{m.basics(), m.texts(), m.hashes(), m.ciphers(), m.questions()} {
		for name, fn := range functions {
			if err := m.addHostFunc(host, name, fn); err != nil {
				return host, err
			}
		}
	}
	return host, nil
}

// basics are the functions that the prelude cannot do without.
func (m *Machine) basics() map[string]hostFunc {
	return map[string]hostFunc{
		"log":      m.hostLog,
		"now":      func([]value) value { return float(float64(time.Since(m.began)) / float64(time.Millisecond)) },
		"stack":    m.hostStack,
		"kind":     func(args []value) value { return integer(int(lib.XJS_GetClassID(m.tls, args[0]))) },
		"body":     func([]value) value { return m.newBuffer(m.body) },
		"uncaught": m.hostUncaught,
		"load":     m.hostLoad,
	}
}

// hostArgs is how many arguments a host function gets at least; those that are
// not given are undefined.
const hostArgs = 8

func (m *Machine) addHostFunc(host value, name string, fn hostFunc) error {
	cName, err := cString(m.tls, name)
	if err != nil {
		return err
	}
	defer libc.Xfree(m.tls, cName)
	quiet := silent[name]
	closure := func(_ *libc.TLS, _ uintptr, _ value, argc int32, argv uintptr) value {
		m.loud = m.loud || !quiet
		return fn(arguments(max(argc, hostArgs), argv))
	}
	m.closures = append(m.closures, closure)
	f := lib.XJS_NewCFunction2(m.tls, m.ctx, function(closure), cName, hostArgs, lib.EJS_CFUNC_generic, 0)
	return m.setProperty(host, name, f)
}

func (m *Machine) setProperty(object value, name string, v value) error {
	cName, err := cString(m.tls, name)
	if err != nil {
		return err
	}
	defer libc.Xfree(m.tls, cName)
	if isException(v) || lib.XJS_SetPropertyStr(m.tls, m.ctx, object, cName, v) < 0 {
		return m.failed(fmt.Sprintf("add the host's %s", name))
	}
	return nil
}

// hostLog takes a level and a text.
func (m *Machine) hostLog(args []value) value {
	text, ok := m.text(args[1])
	if !ok {
		return exception()
	}
	if m.log != nil {
		m.log(levels[asInt(args[0])], text)
	}
	return undefined()
}

// hostUncaught takes what a microtask threw.
func (m *Machine) hostUncaught(args []value) value {
	if m.uncaught == nil {
		v := lib.XDupValue(m.tls, m.ctx, args[0])
		m.uncaught = &v
	}
	return undefined()
}

// hostStack takes a stack as the engine writes it and returns it for the
// author: original files, no frames of ours.
func (m *Machine) hostStack(args []value) value {
	text, ok := m.text(args[0])
	if !ok {
		return exception()
	}
	return m.newString(m.cleanStack(text))
}

// maxStack bounds the text of one stack, in bytes.
const maxStack = 16 << 10

func (m *Machine) cleanStack(stack string) string {
	if len(stack) > maxStack {
		stack = stack[:maxStack]
	}
	var out strings.Builder
	for line := range strings.Lines(stack) {
		if !strings.Contains(line, preludeName) && !strings.Contains(line, "(native)") {
			out.WriteString(line)
		}
	}
	text := strings.TrimRight(out.String(), "\n")
	if m.program != nil && m.program.MapStack != nil && text != "" {
		text = strings.TrimRight(m.program.MapStack(text), "\n")
	}
	return text
}

// throwTypeError makes a TypeError the pending exception.
func (m *Machine) throwTypeError(text string) value {
	const width = 16
	format := m.tls.Alloc(width)
	defer m.tls.Free(width)
	copy(memory(format, width), "%s\x00")
	message, err := cString(m.tls, text)
	if err != nil {
		return lib.XJS_ThrowOutOfMemory(m.tls, m.ctx)
	}
	defer libc.Xfree(m.tls, message)
	list := libc.NewVaList(message)
	defer libc.Xfree(m.tls, list)
	return lib.XJS_ThrowTypeError(m.tls, m.ctx, format, list)
}
