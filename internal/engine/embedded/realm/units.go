package realm

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"
)

// Units are the parts of the Web's and Node's interfaces. They are compiled once
// in a process and evaluated when code first asks for them; a program that
// mentions one gets it as a part of its snapshot, evaluated already.

//go:embed web/*.js web/generated/*.js node/*.js
var unitFiles embed.FS

// webUnits are the globals of each unit of the Web's interfaces.
func webUnits() map[string][]string {
	return map[string][]string{
		"errors":  {"DOMException"},
		"text":    {"TextEncoder", "TextDecoder", "atob", "btoa"},
		"clone":   {"structuredClone"},
		"events":  {"Event", "CustomEvent", "EventTarget", "AbortController", "AbortSignal"},
		"url":     {"URL", "URLSearchParams"},
		"buffer":  {"Buffer"},
		"crypto":  {"crypto", "Crypto", "CryptoKey", "SubtleCrypto"},
		"blob":    {"Blob", "File", "FormData"},
		"fetch":   {"Headers", "Request", "Response", "fetch"},
		"process": {"process", "global", "self", "navigator", "setImmediate", "clearImmediate"},
		"streams": {
			"ReadableStream", "ReadableStreamDefaultReader", "ReadableStreamBYOBReader", "ReadableStreamBYOBRequest",
			"ReadableStreamDefaultController", "ReadableByteStreamController", "WritableStream", "WritableStreamDefaultWriter",
			"WritableStreamDefaultController", "TransformStream", "TransformStreamDefaultController",
			"ByteLengthQueuingStrategy", "CountQueuingStrategy", "TextEncoderStream", "TextDecoderStream",
		},
	}
}

// NodeModules are the names of Node's modules that code may import, without
// .
func NodeModules() []string {
	entries, err := unitFiles.ReadDir("node")
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".js")
		names = append(names, strings.ReplaceAll(name, "+", "/"))
	}
	return names
}

const nodePrefix = "node:"

// unitSource is the text of a unit: a function expression.
func unitSource(name string) ([]byte, error) {
	if below, ok := strings.CutPrefix(name, nodePrefix); ok {
		return unitFiles.ReadFile("node/" + strings.ReplaceAll(below, "/", "+") + ".js")
	}
	return unitFiles.ReadFile("web/" + name + ".js")
}

// unitLists are what the prelude is told about units: the globals of each as
// JSON, and the modules of Node between spaces.
func unitLists() (units, modules string, err error) {
	text, err := json.Marshal(webUnits())
	return string(text), " " + nodePrefix + strings.Join(NodeModules(), " "+nodePrefix) + " ", err
}

// hostLoad takes the name of a unit and returns its function.
func (m *Machine) hostLoad(args []value) value {
	name, ok := m.text(args[0])
	if !ok {
		return exception()
	}
	code, known := m.units[name]
	if !known {
		return m.compileUnit(name)
	}
	fn := m.read(code)
	if isException(fn) {
		return fn
	}
	return lib.XJS_EvalFunction(m.tls, m.ctx, fn)
}

// compileUnit compiles a unit in the realm that asks for it, and keeps the
// bytecode for others.
func (m *Machine) compileUnit(name string) value {
	text, err := unitSource(name)
	if err != nil {
		return m.throwTypeError(fmt.Sprintf("there is no %s", name))
	}
	fn := m.compile(text, m.names.prelude, lib.MJS_EVAL_FLAG_STRICT)
	if isException(fn) {
		return fn
	}
	if code, ok := m.write(fn); ok {
		m.units[name] = code
	}
	return lib.XJS_EvalFunction(m.tls, m.ctx, fn)
}

// compile compiles a script; an exception when it is at fault.
func (m *Machine) compile(code []byte, name uintptr, flags int32) value {
	source, err := cString(m.tls, code)
	if err != nil {
		return lib.XJS_ThrowOutOfMemory(m.tls, m.ctx)
	}
	defer libc.Xfree(m.tls, source)
	flags |= lib.MJS_EVAL_TYPE_GLOBAL | lib.MJS_EVAL_FLAG_COMPILE_ONLY
	return lib.XJS_Eval(m.tls, m.ctx, source, libc.Tsize_t(len(code)), name, flags)
}

// write is the bytecode of a compiled script; false when there is no memory
// for it.
func (m *Machine) write(fn value) ([]byte, bool) {
	const size = 8
	n := m.tls.Alloc(size)
	defer m.tls.Free(size)
	p := lib.XJS_WriteObject(m.tls, m.ctx, n, fn, lib.MJS_WRITE_OBJ_BYTECODE)
	if p == 0 {
		return nil, false
	}
	return bytes.Clone(memory(p, int(*at[libc.Tsize_t](n)))), true
}

// read makes the script of bytecode.
func (m *Machine) read(code []byte) value {
	p, err := cString(m.tls, code)
	if err != nil {
		return lib.XJS_ThrowOutOfMemory(m.tls, m.ctx)
	}
	defer libc.Xfree(m.tls, p)
	return lib.XJS_ReadObject(m.tls, m.ctx, p, libc.Tsize_t(len(code)), lib.MJS_READ_OBJ_BYTECODE)
}

// warm evaluates the units that bytecode mentions, for the snapshot of its
// program. One that it mentions by chance only makes the snapshot larger; one
// that it reaches without a mention is evaluated when it does.
func (m *Machine) warm(bytecode []byte) error {
	units := webUnits()
	for _, unit := range slices.Sorted(maps.Keys(units)) {
		if !slices.ContainsFunc(units[unit], func(name string) bool { return mentions(bytecode, name) }) {
			continue
		}
		if err := m.warmUnit(unit); err != nil {
			return err
		}
	}
	for _, name := range NodeModules() {
		if mentions(bytecode, nodePrefix+name) {
			if err := m.warmUnit(nodePrefix + name); err != nil {
				return err
			}
		}
	}
	return nil
}

// mentions reports whether bytecode holds a name or a text: its length, the
// lowest bit clear for narrow characters, and the characters.
func mentions(bytecode []byte, name string) bool {
	return bytes.Contains(bytecode, append([]byte{byte(len(name) << 1)}, name...))
}

func (m *Machine) warmUnit(name string) error {
	if v := m.call(m.entry.warm, m.newString(name)); isException(v) {
		return m.failed("prepare " + name)
	}
	return nil
}
