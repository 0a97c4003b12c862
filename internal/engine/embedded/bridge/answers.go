package bridge

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
)

// Hello is the first frame of a child: it is ready, and this is what holds it.
type Hello struct {
	Version int
	// Sandboxed says that the kernel's borders are in place.
	Sandboxed bool
	// Landlock is the level of Landlock in force; 0 for none.
	Landlock int
	// EngineVersion is the version of bytecode that the child makes and loads.
	EngineVersion string
}

// Append appends the frame.
func (h Hello) Append(b []byte) []byte {
	b, mark := Begin(b, KindHello)
	b = appendUint(b, uint64(h.Version))
	b = appendBool(b, h.Sandboxed)
	b = appendUint(b, uint64(h.Landlock))
	b = appendText(b, h.EngineVersion)
	return End(b, mark)
}

// ParseHello reads the payload.
func ParseHello(payload []byte) (Hello, error) {
	f := fields{b: payload}
	h := Hello{Version: f.number(), Sandboxed: f.bool(), Landlock: f.number(), EngineVersion: f.text()}
	return h, f.done()
}

var levels = [...]engine.Level{engine.LevelDebug, engine.LevelInfo, engine.LevelWarn, engine.LevelError, engine.LevelLog}

// AppendLine appends one line to the payload of a log frame.
func AppendLine(b []byte, at time.Time, level engine.Level, text string) []byte {
	b = appendInt(b, at.UnixMicro())
	for i, l := range levels {
		if l == level {
			b = append(b, byte(i))
			break
		}
	}
	return appendText(b, text)
}

// ParseLines reads the payload of a log frame: at most count lines of at most
// size bytes.
func ParseLines(payload []byte, count, size int) ([]engine.LogLine, error) {
	f := fields{b: payload}
	var lines []engine.LogLine
	for len(f.b) > 0 {
		at, level, text := f.int(), f.byte(), f.text()
		switch {
		case f.err != nil:
			return nil, f.err
		case int(level) >= len(levels):
			return nil, fmt.Errorf("a log line has level %d", level)
		case len(text) > size:
			return nil, fmt.Errorf("a log line has %d bytes; at most %d are allowed", len(text), size)
		case len(lines) >= count:
			return nil, fmt.Errorf("there are more than %d log lines", count)
		}
		lines = append(lines, engine.LogLine{Time: time.UnixMicro(at).UTC(), Level: levels[level], Message: text})
	}
	return lines, nil
}

// Done is the end of a run that succeeded.
type Done struct {
	// Value is the JSON text of the result, nil for undefined.
	Value    json.RawMessage
	Duration time.Duration
}

// Append appends the frame.
func (d Done) Append(b []byte) []byte {
	b, mark := Begin(b, KindDone)
	b = appendInt(b, int64(d.Duration))
	b = appendBool(b, d.Value != nil)
	b = appendText(b, d.Value)
	return End(b, mark)
}

// ParseDone reads the payload.
func ParseDone(payload []byte) (Done, error) {
	f := fields{b: payload}
	d := Done{Duration: time.Duration(f.int())}
	some, text := f.bool(), f.bytes()
	if err := f.done(); err != nil || !some {
		return d, err
	}
	if !json.Valid(text) {
		return d, fmt.Errorf("a result is no JSON")
	}
	d.Value = append(json.RawMessage(nil), text...)
	return d, nil
}

// reasons are those of failures that a child can tell.
var reasons = [...]engine.Reason{engine.Threw, engine.OutOfMemory, engine.NoHandler, engine.BadResult, engine.NeverEnds}

// Failed is the end of a request because of the code. Exactly one of Failure
// and Problems is set, or Internal when the child itself could not do it.
type Failed struct {
	Failure  *engine.Failure
	Problems []engine.Problem
	Internal string
}

// maxProblems bounds the problems of one source.
const maxProblems = 1000

// Append appends the frame.
func (x Failed) Append(b []byte) []byte {
	b, mark := Begin(b, KindFailed)
	b = appendText(b, x.Internal)
	b = appendUint(b, uint64(len(x.Problems)))
	for _, p := range x.Problems {
		b = appendText(b, p.File)
		b = appendUint(b, uint64(p.Line))
		b = appendUint(b, uint64(p.Column))
		b = appendText(b, p.Text)
	}
	b = appendBool(b, x.Failure != nil)
	if f := x.Failure; f != nil {
		b = append(b, reasonIndex(f.Reason))
		b = appendText(b, f.Message)
		b = appendText(b, f.Stack)
		b = appendInt(b, int64(f.Duration))
	}
	return End(b, mark)
}

func reasonIndex(r engine.Reason) byte {
	for i, known := range reasons {
		if known == r {
			return byte(i)
		}
	}
	return 0
}

// ParseFailed reads the payload.
func ParseFailed(payload []byte) (Failed, error) {
	f := fields{b: payload}
	x := Failed{Internal: f.text()}
	for range f.count(maxProblems) {
		x.Problems = append(x.Problems, engine.Problem{File: f.text(), Line: f.number(), Column: f.number(), Text: f.text()})
	}
	if f.bool() {
		reason := f.byte()
		if int(reason) >= len(reasons) {
			return x, fmt.Errorf("a failure has reason %d", reason)
		}
		x.Failure = &engine.Failure{Reason: reasons[reason], Message: f.text(), Stack: f.text(), Duration: time.Duration(f.int())}
	}
	return x, f.done()
}

// AppendDefined appends the frame with what a program declares, as JSON.
func AppendDefined(b []byte, declared []byte) []byte {
	b, mark := Begin(b, KindDefined)
	return End(append(b, declared...), mark)
}

// Compiled is a source made ready to run.
type Compiled struct {
	Bundle, SourceMap, Bytecode []byte
	SDKVersion                  string
}

// Append appends the frame.
func (c Compiled) Append(b []byte) []byte {
	b, mark := Begin(b, KindCompiled)
	b = appendText(b, c.Bundle)
	b = appendText(b, c.SourceMap)
	b = appendText(b, c.Bytecode)
	b = appendText(b, c.SDKVersion)
	return End(b, mark)
}

// ParseCompiled reads the payload. The result is a copy.
func ParseCompiled(payload []byte) (Compiled, error) {
	f := fields{b: append([]byte(nil), payload...)}
	c := Compiled{Bundle: f.bytes(), SourceMap: f.bytes(), Bytecode: f.bytes(), SDKVersion: f.text()}
	return c, f.done()
}
