package choice_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/choice"
	"github.com/usefloww/flowwd/internal/engine/dummy"
	"github.com/usefloww/flowwd/internal/enginetest"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// named is a dummy whose programs carry another name.
type named struct {
	*dummy.Engine
	name string
}

func (n named) Compile(ctx context.Context, source workflow.Source) (*workflow.Program, error) {
	p, err := n.Engine.Compile(ctx, source)
	if err == nil {
		p.Engine = n.name
	}
	return p, err
}

func (n named) Define(context.Context, id.ID, *workflow.Program) (engine.Definitions, error) {
	return engine.Definitions{Providers: []workflow.ProviderRef{{Type: n.name, Alias: "x"}}}, nil
}

type harness struct{}

func (harness) Start(t *testing.T) (engine.Engine, func()) {
	plain := dummy.New(8, time.Now)
	images := dummy.New(4, time.Now)
	stop := func() { plain.Stop(); images.Stop() }
	t.Cleanup(stop)
	return &choice.Engine{
		Engines: map[string]engine.Engine{dummy.Name: plain, "images": named{images, "images"}}, Plain: dummy.Name, Images: "images",
	}, stop
}

const suite = `trigger onWebhook {"path":"/suite"}` + "\n"

func (harness) Source(b enginetest.Behaviour) (workflow.Source, bool) {
	text, ok := map[enginetest.Behaviour]string{
		enginetest.Hello: suite + "log.debug one\nlog.info two\nlog.warn three\nlog.error four\nlog five\n" + `return {"ok":true}`,
		enginetest.Declares: `provider github work` + "\n" + suite + suite + `trigger onCron {"z":1,"a":{"y":[1.5,null]}}` +
			"\n" + `options {"timeout":1.5,"memory":48,"concurrency":2,"onInterrupt":"fail"}`,
		enginetest.Echo:    suite + "log $body\necho",
		enginetest.Waits:   suite + "log waiting\nsleep 1m",
		enginetest.Throws:  suite + "fail no luck",
		enginetest.Killed:  suite + "interrupt",
		enginetest.Invalid: suite + "no such step",
	}[b]
	return workflow.Source{Files: map[string]string{"main": text}, Entrypoint: "main"}, ok
}

func TestEngine(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, harness{})
}

func TestChoice(t *testing.T) {
	t.Parallel()
	e, _ := harness{}.Start(t)
	source, _ := harness{}.Source(enginetest.Hello)
	source.Image = "registry/x@sha256:1"
	p, err := e.Compile(t.Context(), source)
	if err != nil || p.Engine != "images" {
		t.Fatalf("a source with an image became %+v, %v", p, err)
	}
	if got, err := e.Define(t.Context(), id.ID{}, p); err != nil || got.Providers[0].Type != "images" {
		t.Errorf("it declares %+v, %v", got, err)
	}
	if e.Slots() != 8 {
		t.Errorf("there are %d slots", e.Slots())
	}
	p.Engine = "lambda"
	for what, err := range map[string]error{
		"define": func() error { _, err := e.Define(t.Context(), id.ID{}, p); return err }(),
		"invoke": func() error { _, err := e.Invoke(t.Context(), engine.Invocation{Program: p}, nil); return err }(),
	} {
		if _, ok := errors.AsType[*engine.Interrupted](err); !ok || !strings.Contains(err.Error(), `"lambda"`) {
			t.Errorf("%s: %v", what, err)
		}
	}
	none := &choice.Engine{}
	for _, source := range []workflow.Source{{}, {Image: "x"}} {
		_, err := none.Compile(t.Context(), source)
		if _, ok := errors.AsType[*engine.CompileError](err); !ok {
			t.Errorf("with the image %q: %v", source.Image, err)
		}
	}
}
