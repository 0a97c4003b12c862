package pool

import (
	"slices"

	"github.com/usefloww/flowwd/internal/engine/embedded/bridge"
	"github.com/usefloww/flowwd/internal/workflow"
)

// programs is what a child holds, by slot, and the slots by when they were used,
// the last one first.
type programs struct {
	held  [bridge.Slots]workflow.Hash
	order []int
}

// slot returns the slot of a program; when the child lacks it, the one that it
// goes to.
func (p *programs) slot(hash workflow.Hash) (slot int, known bool) {
	for i, s := range p.order {
		if p.held[s] == hash {
			p.use(i)
			return s, true
		}
	}
	if len(p.order) < bridge.Slots {
		p.order = append(p.order, len(p.order))
	}
	p.use(len(p.order) - 1)
	p.held[p.order[0]] = hash
	return p.order[0], false
}

// use moves the i-th slot to the front.
func (p *programs) use(i int) {
	s := p.order[i]
	p.order = slices.Insert(slices.Delete(p.order, i, i+1), 0, s)
}
