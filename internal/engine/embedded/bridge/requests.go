package bridge

import (
	"encoding/json"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Slots is how many programs a child holds. The server says in which slot a
// program goes and which one a request means, so that both always agree.
const Slots = 8

// Program gives a child a program.
type Program struct {
	Slot int
	// Bytecode is used when it is not empty, otherwise Bundle.
	Bytecode, Bundle []byte
	SourceMap        []byte
}

// Append appends the frame.
func (p Program) Append(b []byte) []byte {
	b, mark := Begin(b, KindProgram)
	b = appendUint(b, uint64(p.Slot))
	b = appendText(b, p.Bytecode)
	b = appendText(b, p.Bundle)
	b = appendText(b, p.SourceMap)
	return End(b, mark)
}

// ParseProgram reads the payload. The program points into it.
func ParseProgram(payload []byte) (Program, error) {
	f := fields{b: payload}
	p := Program{Slot: f.number(), Bytecode: f.bytes(), Bundle: f.bytes(), SourceMap: f.bytes()}
	return p, f.done()
}

// Run asks a child to run a handler.
type Run struct {
	Slot                    int
	ExecutionID, WorkflowID string
	Attempt                 int
	Trigger                 workflow.Declaration
	Event                   engine.Event
	// Secrets is JSON text; empty for none.
	Secrets []byte
	Limits  engine.Limits
}

// Append appends the frame.
func (r *Run) Append(b []byte) []byte {
	b, mark := Begin(b, KindRun)
	b = appendUint(b, uint64(r.Slot))
	b = appendText(b, r.ExecutionID)
	b = appendText(b, r.WorkflowID)
	b = appendUint(b, uint64(r.Attempt))
	b = appendText(b, r.Trigger.Provider.Type)
	b = appendText(b, r.Trigger.Provider.Alias)
	b = appendText(b, r.Trigger.Type)
	b = appendText(b, r.Trigger.Input)
	b = appendUint(b, uint64(r.Trigger.Ordinal))
	b = appendText(b, r.Event.Fields)
	b = appendBool(b, r.Event.HasBody)
	b = appendText(b, r.Event.ContentType)
	b = appendText(b, r.Event.Body)
	b = appendText(b, r.Secrets)
	b = appendUint(b, uint64(r.Limits.Memory))
	b = appendUint(b, uint64(r.Limits.LogLines))
	b = appendUint(b, uint64(r.Limits.LogLineBytes))
	b = appendUint(b, uint64(r.Limits.ResultBytes))
	return End(b, mark)
}

// ParseRun reads the payload. The event's parts point into it.
func ParseRun(payload []byte) (*Run, error) {
	f := fields{b: payload}
	r := &Run{Slot: f.number(), ExecutionID: f.text(), WorkflowID: f.text(), Attempt: f.number()}
	r.Trigger.Provider.Type = f.text()
	r.Trigger.Provider.Alias = f.text()
	r.Trigger.Type = f.text()
	r.Trigger.Input = json.RawMessage(f.bytes())
	r.Trigger.Ordinal = f.number()
	r.Event.Fields = json.RawMessage(f.bytes())
	r.Event.HasBody = f.bool()
	r.Event.ContentType = f.text()
	r.Event.Body = f.bytes()
	r.Secrets = f.bytes()
	r.Limits.Memory = int64(f.uint())
	r.Limits.LogLines = f.number()
	r.Limits.LogLineBytes = f.number()
	r.Limits.ResultBytes = f.number()
	return r, f.done()
}

// Define asks a child what a program declares.
type Define struct {
	Slot int
	// Memory bounds what the code may allocate, in bytes.
	Memory int64
}

// Append appends the frame.
func (d Define) Append(b []byte) []byte {
	b, mark := Begin(b, KindDefine)
	b = appendUint(b, uint64(d.Slot))
	b = appendUint(b, uint64(d.Memory))
	return End(b, mark)
}

// ParseDefine reads the payload.
func ParseDefine(payload []byte) (Define, error) {
	f := fields{b: payload}
	d := Define{Slot: f.number(), Memory: int64(f.uint())}
	return d, f.done()
}

// AppendCompile appends the frame that asks a child to compile a source.
func AppendCompile(b []byte, s workflow.Source) []byte {
	b, mark := Begin(b, KindCompile)
	b = appendText(b, s.Entrypoint)
	b = appendUint(b, uint64(len(s.Files)))
	for path, text := range s.Files {
		b = appendText(b, path)
		b = appendText(b, text)
	}
	return End(b, mark)
}

// ParseCompile reads the payload.
func ParseCompile(payload []byte) (workflow.Source, error) {
	f := fields{b: payload}
	s := workflow.Source{Entrypoint: f.text(), Files: map[string]string{}}
	for range f.count(len(payload)) {
		path := f.text()
		s.Files[path] = f.text()
	}
	return s, f.done()
}
