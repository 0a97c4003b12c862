package docker

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/workflow"
)

// bundle is a program: an image, and the files that its runtime loads.
type bundle struct {
	Image      string            `json:"image"`
	Entrypoint string            `json:"entrypoint"`
	Files      map[string]string `json:"files"`
}

// Compile keeps the source as it is: the image's own runtime loads it, and
// Define says what is wrong with it. See engine.Engine.
func (e *Engine) Compile(_ context.Context, source workflow.Source) (*workflow.Program, error) {
	if source.Image == "" {
		return nil, problem("the source names no image to run in")
	}
	text, err := json.Marshal(bundle{Image: source.Image, Entrypoint: source.Entrypoint, Files: source.Files})
	if err != nil {
		return nil, fmt.Errorf("write a program: %w", err)
	}
	return &workflow.Program{Hash: sha256.Sum256(text), Engine: Name, EngineVersion: "1", Bridge: 1, Bundle: text}, nil
}

func problem(text string) error {
	return &engine.CompileError{Problems: []engine.Problem{{Text: text}}}
}

// keptBundles is how many programs are kept parsed.
const keptBundles = 64

// bundles are parsed programs.
type bundles struct {
	mu  sync.Mutex
	all map[workflow.Hash]*bundle
}

func (b *bundles) of(p *workflow.Program) (*bundle, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if known := b.all[p.Hash]; known != nil {
		return known, nil
	}
	var parsed bundle
	if err := json.Unmarshal(p.Bundle, &parsed); err != nil || parsed.Image == "" {
		return nil, fmt.Errorf("a program of the engine %q can't run in a container: %w", p.Engine, err)
	}
	if b.all == nil || len(b.all) >= keptBundles {
		b.all = map[workflow.Hash]*bundle{}
	}
	b.all[p.Hash] = &parsed
	return &parsed, nil
}
