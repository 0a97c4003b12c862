package dummy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/dummy"
	"github.com/usefloww/flowwd/internal/enginetest"
	"github.com/usefloww/flowwd/internal/workflow"
)

var long = strings.Repeat("é", 100_000)

type harness struct{}

func (harness) Start(t *testing.T) (engine.Engine, func()) {
	e := dummy.New(8, time.Now)
	t.Cleanup(e.Stop)
	return e, e.Stop
}

const suite = `trigger onWebhook {"path":"/suite"}` + "\n"

var programs = map[enginetest.Behaviour]string{
	enginetest.Hello:   suite + "log.debug one\nlog.info two\nlog.warn three\nlog.error four\nlog five\n" + `return {"ok":true}`,
	enginetest.Nothing: suite,
	enginetest.Declares: `provider github work` + "\n" + suite + suite + `trigger onCron {"z":1,"a":{"y":[1.5,null]}}` +
		"\n" + `options {"timeout":1.5,"memory":48,"concurrency":2,"onInterrupt":"fail"}`,
	enginetest.Echo:         suite + "log $body\necho",
	enginetest.Waits:        suite + "log waiting\nsleep 1m",
	enginetest.Loops:        suite + "hang",
	enginetest.Throws:       suite + "fail no luck",
	enginetest.Allocates:    suite + "out-of-memory",
	enginetest.Crashes:      suite + "crash",
	enginetest.Killed:       suite + "interrupt",
	enginetest.NeverSettles: suite + "never-settles",
	enginetest.Floods:       suite + "flood 1000 flood\n" + `return {"ok":true}`,
	enginetest.LongLine:     suite + "log " + long,
	enginetest.Huge:         suite + "huge 100002",
	enginetest.Invalid:      suite + "no such step",
}

func (harness) Source(b enginetest.Behaviour) (workflow.Source, bool) {
	text, ok := programs[b]
	return workflow.Source{Files: map[string]string{"main": text}, Entrypoint: "main"}, ok
}

func TestEngine(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, harness{})
}
