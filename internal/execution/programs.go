package execution

import (
	"container/list"
	"context"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/usefloww/flowwd/internal/workflow"
)

// programsBytes bounds the programs kept in memory.
const programsBytes = 64 << 20

// programs keeps the programs used last, so that a run doesn't read its program
// from the database.
type programs struct {
	load  func(context.Context, workflow.Hash) (*workflow.Program, error)
	group singleflight.Group

	mu     sync.Mutex
	byHash map[workflow.Hash]*list.Element
	// used has the program used last in front.
	used  *list.List
	bytes int
}

func newPrograms(load func(context.Context, workflow.Hash) (*workflow.Program, error)) *programs {
	return &programs{load: load, byHash: map[workflow.Hash]*list.Element{}, used: list.New()}
}

func (p *programs) get(ctx context.Context, hash workflow.Hash) (*workflow.Program, error) {
	p.mu.Lock()
	if e, ok := p.byHash[hash]; ok {
		p.used.MoveToFront(e)
		p.mu.Unlock()
		return e.Value.(*workflow.Program), nil
	}
	p.mu.Unlock()
	v, err, _ := p.group.Do(string(hash[:]), func() (any, error) {
		program, err := p.load(context.WithoutCancel(ctx), hash)
		if err == nil {
			p.put(hash, program)
		}
		return program, err
	})
	if err != nil {
		return nil, err
	}
	return v.(*workflow.Program), nil
}

func (p *programs) put(hash workflow.Hash, program *workflow.Program) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.byHash[hash]; ok {
		return
	}
	p.byHash[hash] = p.used.PushFront(program)
	p.bytes += size(program)
	for p.bytes > programsBytes && p.used.Len() > 1 {
		last := p.used.Back()
		old := p.used.Remove(last).(*workflow.Program)
		delete(p.byHash, old.Hash)
		p.bytes -= size(old)
	}
}

func size(p *workflow.Program) int { return len(p.Bundle) + len(p.SourceMap) + len(p.Bytecode) }
