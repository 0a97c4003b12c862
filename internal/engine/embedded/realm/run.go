package realm

import (
	"encoding/json"
	"fmt"
	"time"

	lib "modernc.org/libquickjs"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Log takes what user code logs.
type Log interface {
	// Line takes one line. The text is not bounded.
	Line(level engine.Level, text string)
	// Tick is called now and then while the code computes.
	Tick()
	// Flush is called before the realm waits for a timer.
	Flush()
}

// Call is one run of a handler.
type Call struct {
	ExecutionID, WorkflowID string
	Attempt                 int
	Trigger                 workflow.Declaration
	Event                   engine.Event
	// Secrets is JSON text of what the code asked for; empty for none.
	Secrets string
	// Memory bounds what the run may allocate, the program included.
	Memory int64
	// Outside answers what the code asks for; nil for nobody.
	Outside Outside
	// ResultBytes bounds the JSON text of the result.
	ResultBytes int
}

// run is the state of one run outside of the engine's memory.
type run struct {
	program *Program
	log     func(level engine.Level, text string)
	tick    func()
	body    []byte
	secrets string
	outside Outside
	// awaited counts the replies that the code waits for, and given are the
	// questions that it gave up.
	awaited int
	given   map[uint64]bool
	// rejections are the reasons of rejected promises that nobody handles, by
	// the promise's address.
	rejections map[uint64]value
	// loud says that the code has asked for something of the world outside.
	loud bool
	// uncaught is what a microtask threw; nil when none did.
	uncaught *value
}

// tail is how many jobs run on after the handler's promise settled, so that
// what they reject is seen.
const tail = 1000

// Run calls the handler of a declaration with an event and returns the JSON
// text of its result, nil for undefined. The error is an *engine.Failure when
// the code is at fault; its Duration is not filled.
func (m *Machine) Run(p *Program, call Call, log Log) (json.RawMessage, error) {
	if err := m.begin(p, call.Memory); err != nil {
		return nil, err
	}
	m.log, m.tick, m.body = log.Line, log.Tick, call.Event.Body
	if err := m.settleTop(p); err != nil {
		return nil, err
	}
	m.tolerateGarbage(call.Memory)
	i, err := m.find(call.Trigger)
	if err != nil {
		return nil, err
	}
	m.outside, m.given, m.secrets = call.Outside, map[uint64]bool{}, call.Secrets
	promise, err := m.startHandler(i, call)
	if err != nil {
		return nil, err
	}
	if err := m.settle(promise, log); err != nil {
		return nil, err
	}
	return m.result(promise, call.ResultBytes)
}

// Define runs the program's top level and returns what it declared, for
// Definitions to read. The error is an *engine.Failure when the code is at
// fault.
func (m *Machine) Define(p *Program, memory int64) (json.RawMessage, error) {
	if err := m.begin(p, memory); err != nil {
		return nil, err
	}
	if err := m.settleTop(p); err != nil {
		return nil, err
	}
	text, ok := m.text(m.call(m.entry.declared))
	if !ok {
		return nil, m.failure(m.exception())
	}
	return json.RawMessage(text), nil
}

// begin makes the fresh realm of a run.
func (m *Machine) begin(p *Program, memory int64) error {
	m.run = &run{program: p}
	return m.reset(p.snap, min(memory, m.size)-int64(p.size+p.left))
}

// Rest forgets the last run and prepares the next one of the same program,
// while nobody waits for it.
func (m *Machine) Rest(p *Program) error {
	m.run = &run{}
	if err := m.memory.Restore(p.snap); err != nil {
		return fmt.Errorf("put the realm back: %w", err)
	}
	m.ready = p.snap
	return nil
}

// topLevel runs the program's script, which registers its triggers.
func (m *Machine) topLevel() error {
	if v := lib.XJS_EvalFunction(m.tls, m.ctx, m.program.fn); isException(v) {
		return m.failure(m.exception())
	}
	if err := m.drain(undefined()); err != nil {
		return err
	}
	return m.unhandled(undefined())
}

func (m *Machine) startHandler(i int, call Call) (value, error) {
	event, body := m.event(call.Event)
	if isException(event) || isException(body) {
		return value{}, m.failure(m.exception())
	}
	promise := m.call(m.entry.start, integer(i), m.newString(call.ExecutionID), m.newString(call.WorkflowID),
		integer(call.Attempt), event, boolean(call.Event.HasBody), body)
	if isException(promise) {
		return value{}, m.failure(m.exception())
	}
	return promise, nil
}

// settle runs jobs and timers until the promise is settled.
func (m *Machine) settle(promise value, log Log) error {
	for {
		if err := m.drain(promise); err != nil {
			return err
		}
		if err := m.unhandled(promise); err != nil {
			return err
		}
		if !m.pending(promise) {
			return nil
		}
		if err := m.idle(log); err != nil {
			return err
		}
	}
}

// idle waits for what can go on next, a reply or a timer, and lets it.
func (m *Machine) idle(log Log) error {
	wait := asFloat(m.call(m.entry.wait))
	if wait < 0 && m.awaited <= 0 {
		return &engine.Failure{
			Reason:  engine.NeverEnds,
			Message: "the handler waits for a promise that nothing can settle any more: no timer is set and no job is left",
		}
	}
	within := time.Duration(wait * float64(time.Millisecond))
	if wait != 0 {
		log.Flush()
	}
	if m.awaited > 0 {
		if heard, err := m.hear(within); heard || err != nil {
			return err
		}
	} else if wait > 0 {
		time.Sleep(within)
	}
	if v := m.call(m.entry.fire); isException(v) {
		return m.failure(m.exception())
	}
	return nil
}

// drain runs the jobs that wait. When the promise settles meanwhile it stops
// soon, so that jobs that go on for ever do not hold up the end.
func (m *Machine) drain(promise value) error {
	const size = 8
	ctx := m.tls.Alloc(size)
	defer m.tls.Free(size)
	for left := tail; left > 0; {
		r := lib.XJS_ExecutePendingJob(m.tls, m.rt, ctx)
		switch {
		case r < 0:
			return m.failure(m.exception())
		case m.memory.Exhausted():
			return outOfMemory()
		case m.uncaught != nil:
			return m.failure(*m.uncaught)
		case r == 0:
			return nil
		}
		if !isUndefined(promise) && !m.pending(promise) {
			left--
		}
	}
	return nil
}

// unhandled fails when a promise other than the given one was rejected and
// nobody handled it.
func (m *Machine) unhandled(except value) error {
	for promise, reason := range m.rejections {
		if isUndefined(except) || promise != payload(except) {
			return m.failure(reason)
		}
	}
	return nil
}

func (m *Machine) pending(promise value) bool {
	return lib.XJS_PromiseState(m.tls, m.ctx, promise) == lib.EJS_PROMISE_PENDING
}

// result is the JSON text of what the settled promise holds.
func (m *Machine) result(promise value, limit int) (json.RawMessage, error) {
	v := lib.XJS_PromiseResult(m.tls, m.ctx, promise)
	if lib.XJS_PromiseState(m.tls, m.ctx, promise) == lib.EJS_PROMISE_REJECTED {
		return nil, m.failure(v)
	}
	if m.memory.Exhausted() {
		return nil, outOfMemory()
	}
	if isUndefined(v) {
		return nil, nil
	}
	encoded := m.call(m.entry.encode, v)
	if m.memory.Exhausted() {
		return nil, outOfMemory()
	}
	if isException(encoded) {
		message, stack := m.describe(m.exception())
		return nil, &engine.Failure{Reason: engine.BadResult, Message: "the handler's result cannot be written as JSON: " + message, Stack: stack}
	}
	if isUndefined(encoded) {
		return nil, &engine.Failure{Reason: engine.BadResult, Message: "the handler's result is a function or a symbol, which JSON cannot hold"}
	}
	text, ok := m.text(encoded)
	switch {
	case !ok:
		return nil, m.failure(m.exception())
	case len(text) > limit:
		return nil, &engine.Failure{
			Reason:  engine.BadResult,
			Message: fmt.Sprintf("the handler's result has %d bytes of JSON; at most %d are allowed", len(text), limit),
		}
	}
	return json.RawMessage(text), nil
}

func outOfMemory() *engine.Failure {
	return &engine.Failure{Reason: engine.OutOfMemory, Message: "the code needs more memory than it may have"}
}

// failure is what was thrown, as the failure of the run.
func (m *Machine) failure(thrown value) error {
	if m.memory.Exhausted() {
		return outOfMemory()
	}
	message, stack := m.describe(thrown)
	if m.memory.Exhausted() {
		return outOfMemory()
	}
	return &engine.Failure{Reason: engine.Threw, Message: message, Stack: stack}
}

// maxMessage bounds the text of a failure, in bytes.
const maxMessage = 8 << 10

// describe is the message and the stack of what was thrown.
func (m *Machine) describe(thrown value) (message, stack string) {
	pair := m.call(m.entry.describe, thrown)
	if isException(pair) {
		m.exception()
		return "something was thrown that cannot be shown", ""
	}
	message, ok1 := m.text(lib.XJS_GetPropertyUint32(m.tls, m.ctx, pair, 0))
	stack, ok2 := m.text(lib.XJS_GetPropertyUint32(m.tls, m.ctx, pair, 1))
	if !ok1 || !ok2 {
		m.exception()
		return "something was thrown that cannot be shown", ""
	}
	return engine.Cut(message, maxMessage), engine.Cut(stack, maxStack)
}
