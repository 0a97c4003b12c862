package docker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// instance is a container that has been found healthy, until it ends.
type instance struct {
	e    *Engine
	key  podKey
	pair *pair
	link *link
	// streams says that the image is one of ours.
	streams bool

	// gone is closed when the container has ended, which exit then tells.
	gone chan struct{}
	exit exit

	mu   sync.Mutex
	runs map[id.ID]*run
	// known are the programs that the runtime has.
	known map[workflow.Hash]bool
	// killed says that we ended it, as its last run would not end.
	killed bool
}

// exit is how a container ended.
type exit struct {
	status      int64
	outOfMemory bool
	// unknown says that the daemon could not tell.
	unknown bool
	// runs is how many were in it.
	runs int
}

const (
	// healthPause is between two questions for a container's health, and
	// healthTimeout for one of them.
	healthPause   = 15 * time.Millisecond
	healthTimeout = 2 * time.Second
	// tailBytes is what is told of a container's own last lines.
	tailBytes = 600
)

func (e *Engine) newInstance(key podKey, p *pair) *instance {
	return &instance{e: e, key: key, pair: p, gone: make(chan struct{}), runs: map[id.ID]*run{}, known: map[workflow.Hash]bool{}}
}

func (in *instance) openLink(ctx context.Context) (err error) {
	in.link, err = in.e.openLink(ctx, in.pair.holder, in.backend())
	return err
}

// connect makes an instance of a running pair once it is healthy. The error is
// an *engine.Failure when the image is at fault.
func (e *Engine) connect(ctx context.Context, key podKey, p *pair) (*instance, error) {
	in := e.newInstance(key, p)
	if err := in.openLink(ctx); err != nil {
		return nil, err
	}
	return in, in.live(ctx)
}

// live waits until the containers of an instance are healthy; where they are not,
// its link is closed.
func (in *instance) live(ctx context.Context) error {
	in.e.work.Go(in.watch)
	err := in.waitHealthy(ctx)
	if err != nil {
		in.link.close()
	}
	return err
}

// watch waits for the container's end. It ends with the engine.
func (in *instance) watch() {
	defer func() {
		in.mu.Lock()
		defer in.mu.Unlock()
		in.exit.runs = len(in.runs)
		close(in.gone)
	}()
	wait := in.e.api.ContainerWait(in.e.life, in.pair.code, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case end := <-wait.Result:
		in.exit.status = end.StatusCode
	case <-wait.Error:
		in.exit.unknown = true
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), healthTimeout)
	defer cancel()
	if found, err := in.e.api.ContainerInspect(ctx, in.pair.code, client.ContainerInspectOptions{}); err == nil && found.Container.State != nil {
		in.exit.outOfMemory = found.Container.State.OOMKilled
	}
}

// alive reports whether runs can be given to it.
func (in *instance) alive() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	select {
	case <-in.gone:
		return false
	case <-in.link.lost():
		return false
	default:
		return !in.killed
	}
}

// waitHealthy asks for the container's health until it has it.
func (in *instance) waitHealthy(ctx context.Context) error {
	began := in.e.config.Now()
	ctx, cancel := context.WithTimeout(ctx, in.e.config.StartTimeout)
	defer cancel()
	var last error
	for {
		streams, err := in.askHealth(ctx)
		if err == nil {
			in.streams = streams
			return nil
		}
		if last == nil || ctx.Err() == nil { // the end of the wait is no answer
			last = err
		}
		select {
		case <-time.After(healthPause):
		case <-in.gone:
			return in.stillborn()
		case <-in.link.lost():
			return errHolderGone()
		case <-ctx.Done():
			if in.e.life.Err() != nil {
				return stopping()
			}
			if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
				return imageFault("the image %s is not healthy within %v of its start: %v%s", in.key.image, in.e.config.StartTimeout, last, in.tail())
			}
			return fmt.Errorf("wait %v for a container: %w", in.e.config.Now().Sub(began), ctx.Err())
		}
	}
}

// stillborn says how a container ended before it was healthy.
func (in *instance) stillborn() error {
	switch {
	case in.e.life.Err() != nil:
		return stopping()
	case in.exit.unknown:
		return &engine.Interrupted{Message: "the docker daemon ended while the container started"}
	case in.exit.outOfMemory:
		return &engine.Failure{Reason: engine.OutOfMemory, Message: fmt.Sprintf("the container of %s needed more memory than it may have before it was healthy", in.key.image)}
	case in.exit.status == killedStatus:
		return &engine.Interrupted{Message: "the container was killed from outside while it started"}
	}
	return imageFault("the container of %s ended with the status %d before it was healthy; its command must serve HTTP on port 8000%s", in.key.image, in.exit.status, in.tail())
}

func imageFault(format string, args ...any) error {
	return &engine.Failure{Reason: engine.Crashed, Message: fmt.Sprintf(format, args...)}
}

// askHealth asks once; streams says that the image is one of ours. The error is
// for a person.
func (in *instance) askHealth(ctx context.Context) (streams bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	status, body, err := in.call(ctx, http.MethodGet, "/health", nil, maxHealth)
	switch {
	case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return false, errors.New("GET /health gives no answer")
	case err != nil:
		return false, errors.New("nothing answers on port 8000")
	case status != http.StatusOK:
		return false, fmt.Errorf("GET /health answers with the status %d", status)
	}
	var health struct {
		Status string `json:"status"`
		Flowwd int    `json:"flowwd"`
	}
	if err := json.Unmarshal(body, &health); err != nil || health.Status != "ok" {
		return false, fmt.Errorf(`GET /health answers %.100q, not {"status":"ok"}`, body)
	}
	return health.Flowwd >= 1, nil
}

const maxHealth = 64 << 10

// call makes a request with a short answer.
func (in *instance) call(ctx context.Context, method, path string, body []byte, most int64) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://runtime"+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := in.link.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("the answer has more than %d bytes", most)
	}
	return answer.StatusCode, text, err
}

// tail is what the container wrote last, for a message; empty when nothing.
func (in *instance) tail() string {
	ctx, cancel := context.WithTimeout(context.Background(), healthTimeout)
	defer cancel()
	logs, err := in.e.api.ContainerLogs(ctx, in.pair.code, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: "20"})
	if err != nil {
		return ""
	}
	defer logs.Close()
	var text strings.Builder
	_, _ = stdcopy.StdCopy(&text, &text, io.LimitReader(logs, 64<<10)) // what came is better than nothing
	last := strings.TrimSpace(text.String())
	if last == "" {
		return ""
	}
	return "; it wrote: " + strings.ToValidUTF8(last[max(0, len(last)-tailBytes):], "")
}

// kill ends the container, as a run in it does not end.
func (in *instance) kill() {
	in.mu.Lock()
	in.killed = true
	in.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), removeTimeout)
	defer cancel()
	if err := in.e.halt(ctx, in.pair); err != nil {
		in.e.config.Logger.Warn("a container whose run does not end could not be killed", "container", in.pair.code, "error", err)
	}
}
