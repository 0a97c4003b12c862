package realm

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

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
	for name, fn := range map[string]hostFunc{
		"log":      m.hostLog,
		"now":      func([]value) value { return float(float64(time.Since(m.began)) / float64(time.Millisecond)) },
		"stack":    m.hostStack,
		"kind":     func(args []value) value { return integer(int(lib.XJS_GetClassID(m.tls, args[0]))) },
		"encode":   m.hostEncode,
		"decode":   m.hostDecode,
		"body":     func([]value) value { return m.newBuffer(m.body) },
		"uncaught": m.hostUncaught,
	} {
		if err := m.addHostFunc(host, name, fn); err != nil {
			return host, err
		}
	}
	return host, nil
}

func (m *Machine) addHostFunc(host value, name string, fn hostFunc) error {
	cName, err := cString(m.tls, name)
	if err != nil {
		return err
	}
	defer libc.Xfree(m.tls, cName)
	closure := func(_ *libc.TLS, _ uintptr, _ value, argc int32, argv uintptr) value {
		return fn(arguments(argc, argv))
	}
	m.closures = append(m.closures, closure)
	f := lib.XJS_NewCFunction2(m.tls, m.ctx, function(closure), cName, 0, lib.EJS_CFUNC_generic, 0)
	if isException(f) || lib.XJS_SetPropertyStr(m.tls, m.ctx, host, cName, f) < 0 {
		return m.failed(fmt.Sprintf("add the host function %s", name))
	}
	return nil
}

// hostLog takes a level and a text.
func (m *Machine) hostLog(args []value) value {
	text, ok := m.text(args[1])
	if !ok {
		return tagged(lib.EJS_TAG_EXCEPTION, 0)
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
		return tagged(lib.EJS_TAG_EXCEPTION, 0)
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

// hostEncode takes a text and returns an ArrayBuffer of its UTF-8.
func (m *Machine) hostEncode(args []value) value {
	text, ok := m.text(args[0])
	if !ok {
		return tagged(lib.EJS_TAG_EXCEPTION, 0)
	}
	return m.newBuffer([]byte(text))
}

// hostDecode takes an ArrayBuffer, an offset, a length and whether malformed
// bytes are fatal, and returns the text; undefined when they are and there are.
func (m *Machine) hostDecode(args []value) value {
	const size = 8
	n := m.tls.Alloc(size)
	defer m.tls.Free(size)
	p := lib.XJS_GetArrayBuffer(m.tls, m.ctx, n, args[0])
	whole := memory(p, int(*at[libc.Tsize_t](n)))
	from, length := asInt(args[1]), asInt(args[2])
	if from < 0 || length < 0 || from+length > len(whole) {
		return m.newString("")
	}
	b := whole[from : from+length]
	if payload(args[3]) != 0 && !utf8.Valid(b) {
		return undefined()
	}
	return m.newString(string(b))
}

// throwTypeError makes a TypeError the pending exception.
func (m *Machine) throwTypeError(text string) {
	const width = 16
	format := m.tls.Alloc(width)
	defer m.tls.Free(width)
	copy(memory(format, width), "%s\x00")
	message, err := cString(m.tls, text)
	if err != nil {
		lib.XJS_ThrowOutOfMemory(m.tls, m.ctx)
		return
	}
	defer libc.Xfree(m.tls, message)
	list := libc.NewVaList(message)
	defer libc.Xfree(m.tls, list)
	lib.XJS_ThrowTypeError(m.tls, m.ctx, format, list)
}
