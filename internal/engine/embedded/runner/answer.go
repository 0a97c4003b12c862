package runner

import (
	"errors"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/embedded/bridge"
	"github.com/usefloww/flowwd/internal/engine/embedded/bundle"
	"github.com/usefloww/flowwd/internal/engine/embedded/realm"
)

// load puts a program into its slot. A program that cannot be loaded leaves its
// slot empty, which the next request for it is told.
func (c *child) load(payload []byte) error {
	p, err := bridge.ParseProgram(payload)
	if err != nil {
		return err
	}
	if p.Slot < 0 || p.Slot >= len(c.slots) {
		return fmt.Errorf("there is no slot %d", p.Slot)
	}
	c.slots[p.Slot] = nil
	bytecode := p.Bytecode
	if len(bytecode) == 0 {
		if bytecode, err = c.machine.Compile(p.Bundle); err != nil {
			return nil
		}
	}
	program, err := c.machine.Load(bytecode)
	if err != nil {
		return nil
	}
	if sourceMap := append([]byte(nil), p.SourceMap...); len(sourceMap) > 0 {
		program.MapStack = func(stack string) string { return bundle.MapStack(sourceMap, stack) }
	}
	c.slots[p.Slot] = program
	return nil
}

// program returns what a slot holds.
func (c *child) program(slot int) (*realm.Program, error) {
	if slot < 0 || slot >= len(c.slots) {
		return nil, fmt.Errorf("there is no slot %d", slot)
	}
	if c.slots[slot] == nil {
		return nil, &engine.Failure{Reason: engine.OutOfMemory, Message: "the program could not be loaded: it is damaged, or larger than the memory that it may use"}
	}
	return c.slots[slot], nil
}

func (c *child) run(payload []byte) error {
	r, err := bridge.ParseRun(payload)
	if err != nil {
		return err
	}
	program, err := c.program(r.Slot)
	if err != nil {
		return c.fail(err)
	}
	began := time.Now()
	value, err := c.machine.Run(program, realm.Call{
		ExecutionID: r.ExecutionID,
		WorkflowID:  r.WorkflowID,
		Attempt:     r.Attempt,
		Trigger:     r.Trigger,
		Event:       r.Event,
		Secrets:     string(r.Secrets),
		Outside:     &outside{c: c},
		Memory:      r.Limits.Memory,
		ResultBytes: r.Limits.ResultBytes,
	}, &userLog{out: c.out, limits: r.Limits})
	took := time.Since(began)
	if err != nil {
		err = c.fail(timed(err, took))
	} else {
		err = c.out.send(bridge.Done{Value: value, Duration: took}.Append)
	}
	return errors.Join(err, c.machine.Rest(program))
}

// timed fills in a failure's duration.
func timed(err error, took time.Duration) error {
	if failure, ok := errors.AsType[*engine.Failure](err); ok {
		failure.Duration = took
	}
	return err
}

func (c *child) define(payload []byte) error {
	d, err := bridge.ParseDefine(payload)
	if err != nil {
		return err
	}
	program, err := c.program(d.Slot)
	if err != nil {
		return c.fail(err)
	}
	declared, err := c.machine.Define(program, d.Memory)
	if err != nil {
		err = c.fail(err)
	} else {
		err = c.out.send(func(b []byte) []byte { return bridge.AppendDefined(b, declared) })
	}
	return errors.Join(err, c.machine.Rest(program))
}

func (c *child) compile(payload []byte) error {
	source, err := bridge.ParseCompile(payload)
	if err != nil {
		return err
	}
	built, err := bundle.Build(source)
	if err != nil {
		return c.fail(err)
	}
	bytecode, err := c.machine.Compile(built.Code)
	if err != nil {
		return c.fail(located(err, built.SourceMap))
	}
	return c.out.send(bridge.Compiled{
		Bundle:     built.Code,
		SourceMap:  built.SourceMap,
		Bytecode:   bytecode,
		SDKVersion: built.SDKVersion,
	}.Append)
}

// located turns an error of the JavaScript engine into one about the sources.
func located(err error, sourceMap []byte) error {
	syntax, ok := errors.AsType[*realm.SyntaxError](err)
	if !ok {
		return err
	}
	text := syntax.Message
	if syntax.Stack != "" {
		text += "\n" + bundle.MapStack(sourceMap, syntax.Stack)
	}
	return &engine.CompileError{Problems: []engine.Problem{{Text: text}}}
}

// fail answers with an error.
func (c *child) fail(err error) error {
	var x bridge.Failed
	if failure, ok := errors.AsType[*engine.Failure](err); ok {
		x.Failure = failure
	} else if compile, ok := errors.AsType[*engine.CompileError](err); ok {
		x.Problems = compile.Problems
	} else {
		x.Internal = err.Error()
	}
	return c.out.send(x.Append)
}
